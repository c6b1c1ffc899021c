"""Sorts the photos of bench/loader/photos.py for the training runs of docs/RESULTS.md:

    python3 photos.py PHOTOS OUT

OUT/hr gets 14 of them as labelled pictures, OUT/target_hr 8 to make the target domain of, OUT/val_hr crops of 512×384
from the middle of 8 others, which no run trains on. All are shrunk to half their sides first, so that they are sharp.
"""
import glob
import os
import sys

import cv2

TARGET = "Dune Fossa_by_Jasper_Roks Kleiber_by_Lukas_Baubkus TwoWings Wine_by_Jakkub_Mede aitzgorri_by_Aitzol_Berasategi " \
         "greentock_by_Peter_Nerlich umang_by_Abhishek_Mudgal"
VALIDATION = "Bridge_by_Sander_Klootwijk Dragonfly_by_Bolly Garden LadyBird Wood YellowFlower friends_by_Aitzol_Berasategi " \
             "life_by_Aitzol_Berasategi"


def main(photos, out):
    for path in sorted(glob.glob(os.path.join(photos, "png", "*.png"))):
        name = os.path.splitext(os.path.basename(path))[0]
        img = cv2.resize(cv2.imread(path), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        kind = "hr"
        if name in TARGET.split():
            kind = "target_hr"
        if name in VALIDATION.split():
            kind = "val_hr"
            y, x = (img.shape[0] - 384) // 2, (img.shape[1] - 512) // 2
            img = img[y:y + 384, x:x + 512]
        os.makedirs(os.path.join(out, kind), exist_ok=True)
        cv2.imwrite(os.path.join(out, kind, name + ".png"), img)


main(*sys.argv[1:])
