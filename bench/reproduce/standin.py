"""Lays real photos out like RealSR, DRealSR, NTIRE 2020 and DF2K, for trials of pdd reproduce without those data sets:

    apt-get install mate-backgrounds lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
    python3 bench/loader/photos.py photos
    python3 bench/reproduce/standin.py photos/png OUT --pdd pdd

LR is made by pdd degrade, by another preset and seed for each set. Photos for training are none of those for measuring.
The numbers say nothing about the real sets.
"""
import argparse
import glob
import os
import shutil
import subprocess
import tempfile

import cv2


def crops(photos, width, height):
    """The middle of each photo, halved first."""
    for path in photos:
        img = cv2.imread(path, cv2.IMREAD_COLOR)
        img = cv2.resize(img, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        y, x = (img.shape[0] - height) // 2, (img.shape[1] - width) // 2
        yield img[max(y, 0):max(y, 0) + height, max(x, 0):max(x, 0) + width]


def montage(photos, side):
    """Four photos in a square, large enough to be cut as DRealSR is."""
    rows = []
    for i in (0, 2):
        cells = []
        for path in photos[i:i + 2]:
            img = cv2.imread(path, cv2.IMREAD_COLOR)
            cells.append(cv2.resize(img, (side // 2, side // 2), interpolation=cv2.INTER_AREA))
        rows.append(cv2.hconcat(cells))
    return cv2.vconcat(rows)


class Maker:
    def __init__(self, out, pdd):
        self.out, self.pdd = out, pdd

    def pairs(self, pictures, preset, seed, hr, lr):
        """Writes pictures to the paths that hr and lr give for their numbers; None: not written."""
        with tempfile.TemporaryDirectory() as tmp:
            os.makedirs(tmp + "/hr")
            for i, img in enumerate(pictures, 1):
                h, w = img.shape[:2]
                cv2.imwrite(f"{tmp}/hr/{i:04d}.png", img[:h // 4 * 4, :w // 4 * 4])
            subprocess.run([self.pdd, "degrade", tmp + "/hr", "-o", tmp + "/set", "--preset", preset, "--seed", str(seed), "--sheet", "0"],
                           check=True, stdout=subprocess.DEVNULL)
            for i, path in enumerate(sorted(glob.glob(tmp + "/set/LR/*")), 1):
                self.move(f"{tmp}/hr/{i:04d}.png", hr and hr(i))
                self.move(path, lr and lr(i))

    def move(self, path, to):
        if to:
            to = os.path.join(self.out, to)
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.move(path, to)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("photos")
    args.add_argument("out")
    args.add_argument("--pdd", default="pdd")
    a = args.parse_args()
    photos = sorted(glob.glob(a.photos + "/*.png"))
    train, test, labelled = photos[0::3], photos[1::3], photos[2::3]
    m = Maker(a.out, a.pdd)
    m.pairs(crops(labelled, 640, 480), "bicubic", 0, lambda i: f"DF2K/DF2K_HR/{i:04d}.png", None)
    for seed, camera in ((1, "Canon"), (2, "Nikon")):
        for part, list_ in (("Train", train[:4]), ("Test", test[:3])):
            base = f"RealSR/{camera}/{part}/4/{camera}_"
            m.pairs(crops(list_, 480, 360), "first_order", 10 * seed + len(part),
                    lambda i: f"{base}{i:03d}_HR.png", lambda i: f"{base}{i:03d}_LR4.png")
    for seed, camera in ((3, "panasonic"), (4, "olympus"), (5, "sony")):
        m.pairs(crops(train[4:7], 480, 360), "bsrgan", seed, lambda i: f"DRealSR/Train_x4/train_HR/{camera}_{i}_x1.png",
                lambda i: f"DRealSR/Train_x4/train_LR/{camera}_{i}_x4.png")
        pictures = [montage(test[4:8], 2176)] if camera == "panasonic" else list(crops(test[4:5], 480, 360))
        m.pairs(pictures, "bsrgan", seed + 10, lambda i: f"DRealSR/Test_x4/test_HR/{camera}_{i + 3}_x1.png",
                lambda i: f"DRealSR/Test_x4/test_LR/{camera}_{i + 3}_x4.png")
    m.pairs(crops(train[7:10], 480, 360), "realesrgan", 6, None, lambda i: f"NTIRE2020/Corrupted-tr-x/{i:04d}.png")
    m.pairs(crops(labelled[:3], 480, 360), "bicubic", 0, lambda i: f"NTIRE2020/Corrupted-tr-y/{i:04d}.png", None)
    m.pairs(crops(test[8:10], 480, 360), "realesrgan", 7, lambda i: f"NTIRE2020/DIV2K_valid_HR/{i + 800:04d}.png",
            lambda i: f"NTIRE2020/Corrupted-va-x/{i + 800:04d}.png")
    enlarged(a.out, "RealSR/Canon/Test/4/*_LR4.png", "weights/results/dan/realsr-canon")


def enlarged(out, pictures, folder):
    """Bicubic enlargements, as results that another program left."""
    os.makedirs(os.path.join(out, folder), exist_ok=True)
    for path in glob.glob(os.path.join(out, pictures)):
        img = cv2.resize(cv2.imread(path, cv2.IMREAD_COLOR), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(os.path.join(out, folder, os.path.basename(path)), img)


main()
