"""Makes the files of this folder with Pillow 13: what Go has no encoder for, and Pillow's reading of each as PNG."""
import numpy as np
from PIL import Image

y, x = np.mgrid[0:16, 0:24]
smooth = np.stack([x * 10, y * 15, 250 - x * 5 - y * 5], -1).astype(np.uint8)
alpha = np.clip(x * 20 - 60, 0, 255).astype(np.uint8)
rgb, rgba = Image.fromarray(smooth), Image.fromarray(np.dstack([smooth, alpha]))

rgb.convert("CMYK").save("cmyk.jpg", quality=95)  # Adobe marker, inverted inks
rgb.save("lossy.webp", quality=90)
rgb.save("lossless.webp", lossless=True)
rgba.save("alpha.webp", quality=90)
rgba.save("alpha_lossless.webp", lossless=True, exact=True)
rgba.resize((6, 4)).save("alpha.tif")
for name in "cmyk.jpg", "lossy.webp", "lossless.webp", "alpha.webp", "alpha_lossless.webp", "alpha.tif":
    with Image.open(name) as img:
        img.convert("RGBA" if "alpha" in name else "RGB").save(name + ".png")
