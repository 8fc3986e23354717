"""All recipes, by the name of the set they make."""

import images_md
from images_steps import ImageSet

SETS: dict[str, ImageSet] = {**images_md.SETS}
