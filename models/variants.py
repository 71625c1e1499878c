# SPDX-License-Identifier: Apache-2.0
"""A recipe in, the same recipe with one thing changed out, for every thing whose worth is to be known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from models.errors import DataError
from models.learning.pool import Found, styled
from models.learning.recipe import Recipe

__all__ = ["FULL", "Variant", "chosen", "variants"]

FULL: Final = "full"
SIDES_PX: Final = (112, 128, 160)


@dataclass(frozen=True, slots=True)
class Variant:
    """A recipe that differs from the full one as `change` says."""

    name: str
    change: str
    recipe: Recipe


def variants(recipe: Recipe, pool: Sequence[Found] = ()) -> tuple[Variant, ...]:
    """The full recipe first, then one change each; the contest's pool where one is given."""
    found = [Variant(FULL, "nothing", recipe)]
    found += [
        Variant(f"without-{kind}", f"no {kind} forgeries, the others more often", _without(recipe, (kind,)))
        for kind, share in recipe.kinds
        if share > 0
    ]
    found += [
        Variant("self-blend-only", "no other forgeries", replace(recipe, kinds=(("self_blend", 1.0),))),
        Variant("without-temporal", "every frame by itself", replace(recipe, temporal=False)),
        Variant("without-codec", "no real encoder, only JPEG", replace(recipe, codec=False)),
        Variant("without-matching", "twins as sharp as they are", replace(recipe, matched_share=0.0)),
        Variant("without-ranking", "no loss between twins", replace(recipe, rank_weight=0.0)),
        Variant("without-cameras", "people only as their own camera saw them", replace(recipe, camera_share=0.0)),
        Variant("without-harmless", "no harmless treatments", replace(recipe, harmless_share=0.0)),
    ]
    found += [
        Variant(f"crop-{side}", f"crops of {side} px", replace(recipe, crop_px=side))
        for side in SIDES_PX
        if side != recipe.crop_px
    ]
    if pool:
        found.append(Variant("with-contest", "forgeries that a contest found", replace(recipe, styled=styled(pool))))
    return tuple(found)


def chosen(found: Sequence[Variant], only: Sequence[str]) -> list[Variant]:
    """The variants named in `only`, all when it is empty, the full recipe in any case; raises `DataError`."""
    unknown = sorted(set(only) - {one.name for one in found})
    if unknown:
        raise DataError(f"no variant is named {', '.join(unknown)}; there are: {', '.join(one.name for one in found)}")
    return [one for one in found if not only or one.name in {FULL, *only}]


def _without(recipe: Recipe, names: Sequence[str]) -> Recipe:
    return replace(recipe, kinds=tuple((kind, share) for kind, share in recipe.kinds if kind not in names))
