"""Makes the two folders of the loader benchmark from photos that Debian packages install:

    apt-get install mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
    python3 photos.py OUT

OUT/jpg and OUT/png get the same photos, the longer side at most 2040 pixels (as in DIV2K), as JPEG of quality 92 and as
PNG of OpenCV's default compression.
"""
import glob
import os
import sys

import cv2

SOURCES = ["/usr/share/backgrounds/mate/nature/*.jpg", "/usr/share/backgrounds/*_by_*.jpg"]
DRAWINGS = "Painting-Colors"


def main(out):
    for kind in ("jpg", "png"):
        os.makedirs(os.path.join(out, kind), exist_ok=True)
    count = 0
    for path in sorted(p for s in SOURCES for p in glob.glob(s)):
        name = os.path.splitext(os.path.basename(path))[0]
        img = cv2.imread(path, cv2.IMREAD_COLOR)
        if img is None or name.startswith(DRAWINGS) or min(img.shape[:2]) < 600:
            continue
        shrink = 2040 / max(img.shape[:2])
        if shrink < 1:
            img = cv2.resize(img, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        cv2.imwrite(os.path.join(out, "jpg", name + ".jpg"), img, [cv2.IMWRITE_JPEG_QUALITY, 92])
        cv2.imwrite(os.path.join(out, "png", name + ".png"), img)
        count += 1
    print(f"{count} photos in {out}")


main(sys.argv[1])
