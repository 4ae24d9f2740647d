"""Makes the photos that `entoptic doctor` shows to networks: data/photos/*.jpg of fixtures/images/*.png.

Wants Pillow (13.0.0 made those that are here).
"""

from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
for name in ["astronaut", "cat", "coffee"]:
    photo = Image.open(HERE / f"../../../fixtures/images/{name}.png").convert("RGB")
    photo.save(HERE / f"photos/{name}.jpg", quality=85, optimize=True)
