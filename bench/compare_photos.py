"""Cuts the ground truth of docs/COMPARE.md out of photos that a Debian package installs:

    apt-get install lomiri-wallpapers-16.04
    python3 compare_photos.py OUT

Each photo is halved (the longer side to 1020 pixels) and cut to 640x480 around the named place.
"""
import os
import sys

import cv2

FOLDER = "/usr/share/backgrounds/"
PHOTOS = [  # name, file, centre of the cut as a share of width and height; all CC BY 4.0, dandelion CC0
    ("brushes", "Picture_1A_by_freespace.jpg", 0.4, 0.55),
    ("dandelion", "seeding_by_Clements_Engelhardt.jpg", 0.3, 0.45),
    ("dogs", "friends_by_Aitzol_Berasategi.jpg", 0.5, 0.5),
    ("fig", "Picture_0B_by_freespace.jpg", 0.55, 0.5),
    ("hills", "aitzgorri_by_Aitzol_Berasategi.jpg", 0.65, 0.5),
    ("mountains", "picosdeeuropa_by_Aitzol_Berasategi.jpg", 0.6, 0.45),
    ("room", "Wine_by_Jakkub_Mede.jpg", 0.5, 0.4),
    ("stream", "life_by_Aitzol_Berasategi.jpg", 0.5, 0.6),
    ("sunset", "sunset_by_Aitzol_Berasategi.jpg", 0.6, 0.7),
]
WIDTH, HEIGHT, LONGER = 640, 480, 1020


def main(out):
    os.makedirs(out, exist_ok=True)
    for name, path, x, y in PHOTOS:
        img = cv2.imread(FOLDER + path, cv2.IMREAD_COLOR)
        if img is None:
            sys.exit(f"{FOLDER}{path} is not there: install the package named above")
        shrink = LONGER / max(img.shape[:2])
        img = cv2.resize(img, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        h, w = img.shape[:2]
        left = min(max(round(x * w) - WIDTH // 2, 0), w - WIDTH)
        top = min(max(round(y * h) - HEIGHT // 2, 0), h - HEIGHT)
        cv2.imwrite(os.path.join(out, name + ".png"), img[top:top + HEIGHT, left:left + WIDTH])
    print(f"{len(PHOTOS)} photos in {out}")


main(sys.argv[1])
