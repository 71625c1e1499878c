# SPDX-License-Identifier: Apache-2.0
"""What every network must keep to before a live call may use it."""

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from models import registry
from models.errors import WeightsError
from models.networks.backbone import BLOCKS, Backbone
from models.networks.depthwise import depthwise_conv
from models.networks.imagenet import load_imagenet, map_names
from models.networks.shift import shift_channels
from models.networks.stream import StreamNetwork

FRAMES = 6


@pytest.fixture(scope="module", params=registry.names())
def network(request: pytest.FixtureRequest) -> StreamNetwork:
    """The network of each registered model, with the weights that ship."""
    return registry.load(request.param).network


@pytest.fixture(scope="module")
def clips(network: StreamNetwork) -> torch.Tensor:
    """Three tracks of six noisy, changing crops."""
    random, side = torch.Generator().manual_seed(2), network.crop_px
    return torch.randint(0, 256, (3, FRAMES, side, side, 3), dtype=torch.uint8, generator=random)


@torch.inference_mode()
def test_streaming_gives_what_the_whole_clip_gives(network: StreamNetwork, clips: torch.Tensor) -> None:
    """Frame by frame, in uneven pieces, or at once: the same logits, and the frames before do matter."""
    whole, _ = network(clips, network.new_state(3))
    for cuts in ([1] * FRAMES, [2, 1, 3]):
        state, pieces = network.new_state(3), []
        for piece in clips.split(cuts, dim=1):
            output, state = network(piece, state)
            pieces.append(output.logit)
        torch.testing.assert_close(torch.cat(pieces, dim=1), whole.logit, atol=1e-4, rtol=0)
    alone, _ = network(clips[:, -1:], network.new_state(3))
    assert (alone.logit[:, 0] - whole.logit[:, -1]).abs().max() > 1e-4


@torch.inference_mode()
def test_the_future_does_not_matter(network: StreamNetwork, clips: torch.Tensor) -> None:
    """Other frames later leave the logits of the earlier ones as they are."""
    whole, _ = network(clips, network.new_state(3))
    start, _ = network(clips[:, :3], network.new_state(3))
    torch.testing.assert_close(start.logit, whole.logit[:, :3], atol=1e-4, rtol=0)


@torch.inference_mode()
def test_tracks_do_not_see_each_other(network: StreamNetwork, clips: torch.Tensor) -> None:
    """Permuting the tracks of a batch permutes the results, state included; a track alone gives the same."""
    order = torch.tensor([2, 0, 1])
    state, mixed = network.new_state(3), network.new_state(3)
    for frame in range(3):
        output, state = network(clips[:, frame : frame + 1], state)
        permuted, mixed = network(clips[order, frame : frame + 1], mixed)
        torch.testing.assert_close(permuted.logit, output.logit[order], atol=1e-4, rtol=0)
    for kept, moved in zip(state, mixed, strict=True):
        torch.testing.assert_close(moved, kept[order], atol=1e-3, rtol=1e-3)


@torch.inference_mode()
def test_state_size_is_constant_and_by_track(network: StreamNetwork, clips: torch.Tensor) -> None:
    """Dimension 0 is the track and no tensor grows; a track costs at most 64 kB."""
    state = network.new_state(3)
    shapes = [tensor.shape for tensor in state]
    for frame in range(FRAMES):
        _, state = network(clips[:, frame : frame + 1], state)
        assert [tensor.shape for tensor in state] == shapes
        assert all(tensor.dtype == torch.float32 for tensor in state)
    assert all(shape[0] == 3 for shape in shapes)
    assert sum(tensor[0].nbytes for tensor in state) <= 64 * 1024


@torch.inference_mode()
def test_a_still_stays_a_still(network: StreamNetwork, clips: torch.Tensor) -> None:
    """The same picture again and again gives the same logit from the first frame on: no warm-up transient."""
    still = clips[:, :1].expand(-1, FRAMES, -1, -1, -1).contiguous()
    output, _ = network(still, network.new_state(3))
    torch.testing.assert_close(output.logit, output.logit[:, :1].expand(-1, FRAMES), atol=1e-4, rtol=0)


def test_at_most_six_million_parameters(network: StreamNetwork) -> None:
    """Small enough for a CPU node."""
    assert sum(weight.numel() for weight in network.parameters()) <= 6_000_000


def test_shift_takes_an_eighth_from_the_frame_before() -> None:
    """The first channels come from the frame before or from the cache, the rest stay."""
    features = torch.arange(2 * 3 * 8, dtype=torch.float32).view(2, 3, 8, 1, 1)
    cache = torch.full((2, 1, 1, 1), -1.0)
    mixed, after = shift_channels(features, cache, torch.tensor([True, False]))
    assert mixed[0, :, 0, 0, 0].tolist() == [0.0, 0.0, 8.0]
    assert mixed[1, :, 0, 0, 0].tolist() == [-1.0, 24.0, 32.0]
    assert torch.equal(mixed[:, :, 1:], features[:, :, 1:])
    assert after.flatten().tolist() == [16.0, 40.0]


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (5, 1, 2), (3, 2, 0), (5, 2, 0)])
@pytest.mark.parametrize("side", [9, 12])
def test_fast_depthwise_gradients_are_the_true_ones(kernel: int, stride: int, padding: int, side: int) -> None:
    """Output and all three gradients equal those of torch's own convolution."""
    random = torch.Generator().manual_seed(3)
    seen = torch.randn(2, 8, side, side + 1, generator=random).requires_grad_()
    weight = torch.randn(8, 1, kernel, kernel, generator=random).requires_grad_()
    bias = torch.randn(8, generator=random).requires_grad_()
    known = F.conv2d(seen, weight, bias, stride, padding, groups=8)
    found = depthwise_conv(seen, weight, bias, stride, padding)
    torch.testing.assert_close(found, known)
    push = torch.randn(known.shape, generator=random)
    for ours, theirs in zip(
        torch.autograd.grad(found, (seen, weight, bias), push),
        torch.autograd.grad(known, (seen, weight, bias), push),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_training_and_judging_compute_the_same(network: StreamNetwork, clips: torch.Tensor) -> None:
    """The kernels used while training give the features that the detector sees."""
    caches = [cache[:1] for cache in network.new_state(1)[1:8]]
    fresh = torch.tensor([True])
    with torch.no_grad():
        judged, _ = network.backbone.eval()(clips[:1, :2], caches, fresh)
        trained, _ = network.backbone.train()(clips[:1, :2], caches, fresh)
    network.backbone.eval()
    torch.testing.assert_close(trained.top, judged.top, atol=1e-4, rtol=1e-4)


def test_fixing_the_norms_changes_nothing(clips: torch.Tensor) -> None:
    """A network folded for judging gives the same features."""
    torch.manual_seed(4)
    backbone = Backbone().eval()
    caches = [torch.zeros(1, *shape) for shape in backbone.cache_shapes(clips.shape[2])]
    with torch.no_grad():
        before, _ = backbone(clips[:1, :1], caches, torch.tensor([True]))
        backbone.fix()
        after, _ = backbone(clips[:1, :1], caches, torch.tensor([True]))
    torch.testing.assert_close(after.top, before.top)


def test_imagenet_names_cover_the_backbone() -> None:
    """Every tensor of the backbone has exactly one published counterpart."""
    ours = list(map_names().values())
    assert sorted(ours) == sorted(Backbone().state_dict())
    assert len(BLOCKS) == 16


def test_another_backbone_file_is_refused(tmp_path) -> None:
    """A file with another hash is not the published one."""
    file = tmp_path / "other.pth"
    torch.save({}, file)
    with pytest.raises(WeightsError, match="not the published"):
        load_imagenet(Backbone(), file)
