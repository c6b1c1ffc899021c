"""Cuts the ground truth of docs/COMPARE.md out of photos that Debian packages install:

    apt-get install mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
    python3 compare_photos.py OUT

Each photo is halved (the longer side to 1020 pixels) and cut to 640x480 around the named place.
"""
import os
import sys

import cv2

MATE, LOMIRI = "/usr/share/backgrounds/mate/nature/", "/usr/share/backgrounds/"
PHOTOS = [  # name, file, centre of the cut as a share of width and height
    ("bridge", LOMIRI + "Bridge_by_Sander_Klootwijk.jpg", 0.6, 0.4),
    ("brushes", LOMIRI + "Picture_1A_by_freespace.jpg", 0.4, 0.55),
    ("dogs", LOMIRI + "friends_by_Aitzol_Berasategi.jpg", 0.5, 0.5),
    ("dragonfly", LOMIRI + "Dragonfly_by_Bolly.jpg", 0.6, 0.55),
    ("dune", MATE + "Dune.jpg", 0.6, 0.55),
    ("fig", LOMIRI + "Picture_0B_by_freespace.jpg", 0.55, 0.5),
    ("hills", LOMIRI + "aitzgorri_by_Aitzol_Berasategi.jpg", 0.65, 0.5),
    ("ladybird", MATE + "LadyBird.jpg", 0.6, 0.5),
    ("marigold", MATE + "Garden.jpg", 0.7, 0.45),
    ("mountains", LOMIRI + "picosdeeuropa_by_Aitzol_Berasategi.jpg", 0.6, 0.45),
    ("nuthatch", LOMIRI + "Kleiber_by_Lukas_Baubkus.jpg", 0.4, 0.5),
    ("stream", LOMIRI + "life_by_Aitzol_Berasategi.jpg", 0.5, 0.6),
]
WIDTH, HEIGHT, LONGER = 640, 480, 1020


def main(out):
    os.makedirs(out, exist_ok=True)
    for name, path, x, y in PHOTOS:
        img = cv2.imread(path, cv2.IMREAD_COLOR)
        if img is None:
            sys.exit(f"{path} is not there: install the packages named above")
        shrink = LONGER / max(img.shape[:2])
        img = cv2.resize(img, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        h, w = img.shape[:2]
        left = min(max(round(x * w) - WIDTH // 2, 0), w - WIDTH)
        top = min(max(round(y * h) - HEIGHT // 2, 0), h - HEIGHT)
        cv2.imwrite(os.path.join(out, name + ".png"), img[top:top + HEIGHT, left:left + WIDTH])
    print(f"{len(PHOTOS)} photos in {out}")


main(sys.argv[1])
