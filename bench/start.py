"""Start-up: python3 start.py RUNS PROGRAM... runs commands of each pdd in turn and prints median milliseconds.

The folder of pictures and results is made and removed. Upscaling is of a picture of 16×16 pixels by the built-in model.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from PIL import Image

COMMANDS = ["version", "--help", "weights list", "inspect default", "data check in --patch 0", "degrade in --out lr --sheet 0",
            "eval --pred in --gt in", "upscale in/a.png --out big/a.png --overwrite"]


def main(runs, programs):
    print("| milliseconds | " + " | ".join(programs) + " |")
    print("|---" * (len(programs) + 1) + "|")
    programs = [os.path.abspath(p) for p in programs]
    with tempfile.TemporaryDirectory() as tmp:
        os.chdir(tmp)
        os.mkdir("in")
        Image.radial_gradient("L").resize((16, 16)).convert("RGB").save("in/a.png")
        for command in COMMANDS:
            times = [[] for _ in programs]
            for _ in range(runs):
                for program, list in zip(programs, times):
                    shutil.rmtree("lr", ignore_errors=True)
                    start = time.perf_counter()
                    subprocess.run([program, *command.split()], check=True, capture_output=True)
                    list.append(1000 * (time.perf_counter() - start))
            print(f"| `pdd {command.split(' --out')[0]}` | " + " | ".join(f"{statistics.median(t):.0f}" for t in times) + " |")


main(int(sys.argv[1]), sys.argv[2:])
