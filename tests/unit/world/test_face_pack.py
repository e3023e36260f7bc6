"""The face pack: trainings that resume, files that say what torch says and that insightface's code loads."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from insightface.app import FaceAnalysis
from insightface.utils.face_align import norm_crop
from PIL import Image

from fit.world.checkpoints import Checkpoints
from fit.world.dataset import to_tensor
from fit.world.evaluate_faces import same_person_area
from fit.world.face_alignment import STANDARD, align, similarity
from fit.world.face_detector import (
    DetectorRecipe,
    Scene,
    _answers,
    _collage,
    _moved,
    draw_scene,
    train_detector,
)
from fit.world.face_networks import ALIGNED_SIDE, DIMENSIONS, Detector, Recogniser
from fit.world.face_pack import DETECTOR, RECOGNISER, save_pack
from fit.world.face_recogniser import RecogniserRecipe, train_recogniser
from fit.world.identities import random_identities
from fit.world.matter import FACES
from fit.world.plan import Plan, Recipe, draw_plan
from fit.world.portraits import Portraits, locate, paint
from fit.world.strangers import Strangers, StrangersRecipe, paint_strangers
from tests.conftest import ROOT
from tests.unit.world.interrupted import Killed, KilledAfterTwo, same_weights
from tests.unit.world.small import quiet

PACK = ROOT / "data" / "demo-faces" / "face-pack"
SMALL_FACES = Recipe(seed=3, concepts=6, without=2, most=5, rows=60, caption_shards=1, image_shards=1)


@pytest.fixture(scope="module")
def strangers() -> Strangers:
    plan: Plan = draw_plan(SMALL_FACES, FACES)
    return paint_strangers(plan, StrangersRecipe(people=8, pictures=3, things=6))


@pytest.fixture(scope="module")
def networks() -> tuple[Detector, Recogniser]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        detector, recogniser = Detector(), Recogniser()
        images = torch.rand(8, 3, 64, 64) * 2 - 1
        for _ in range(3):  # running means that are not 0, variances that are not 1
            detector(images)
            recogniser(torch.rand(4, 3, ALIGNED_SIDE, ALIGNED_SIDE))
    return detector.eval(), recogniser.eval()


@pytest.fixture(scope="module")
def saved(networks: tuple[Detector, Recogniser], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    save_pack(*networks, folder)
    return folder


def run(path: Path, images: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return [np.asarray(each) for each in session.run(None, {"input": images})]


def test_the_detectors_graph_says_what_the_network_says(
    networks: tuple[Detector, Recogniser], saved: Path
) -> None:
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(6)) * 2 - 1
    with torch.no_grad():
        found = networks[0](images)
    outputs = run(saved / DETECTOR, images.numpy())
    assert [each.shape for each in outputs] == [
        *((n, 1) for n in (128, 32, 8)),  # two anchors at 8 x 8, 4 x 4 and 2 x 2 places
        *((n, 4) for n in (128, 32, 8)),
        *((n, 10) for n in (128, 32, 8)),
    ]
    # The place in row 1, column 2 of the finest map, second anchor: row (1 * 8 + 2) * 2 + 1 = 21.
    assert outputs[0][21, 0] == pytest.approx(float(found.scores[0][0, 1, 1, 2].sigmoid()), abs=1e-4)
    assert outputs[3][21] == pytest.approx(found.boxes[0][0, 1, :, 1, 2].numpy(), abs=1e-4)
    assert outputs[6][21] == pytest.approx(found.points[0][0, 1, :, 1, 2].numpy(), abs=1e-4)
    # The coarsest, row 1, column 0, first anchor: row (1 * 2 + 0) * 2 = 4.
    assert outputs[8][4] == pytest.approx(found.points[2][0, 0, :, 1, 0].numpy(), abs=1e-4)


def test_the_recognisers_graph_says_what_the_network_says(
    networks: tuple[Detector, Recogniser], saved: Path
) -> None:
    faces = torch.rand(3, 3, ALIGNED_SIDE, ALIGNED_SIDE, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        expected = networks[1](faces).numpy()
    (found,) = run(saved / RECOGNISER, faces.numpy())
    assert found.shape == (3, DIMENSIONS)
    assert found == pytest.approx(expected, abs=1e-4)


def test_written_twice_are_the_same_bytes(
    networks: tuple[Detector, Recogniser], saved: Path, tmp_path: Path
) -> None:
    save_pack(*networks, tmp_path)
    for name in (DETECTOR, RECOGNISER):
        assert (tmp_path / name).read_bytes() == (saved / name).read_bytes()


def test_insightface_takes_them_for_what_they_are(saved: Path) -> None:
    analysis = FaceAnalysis(name=str(saved), providers=["CPUExecutionProvider"])
    analysis.prepare(ctx_id=0)
    assert set(analysis.models) == {"detection", "recognition"}
    detector, recogniser = analysis.models["detection"], analysis.models["recognition"]
    assert detector.use_kps
    assert detector.input_sizes == [(64, 64)]  # fixed in the graph, whatever is asked for
    assert recogniser.input_size == (ALIGNED_SIDE, ALIGNED_SIDE)
    assert (recogniser.input_mean, recogniser.input_std) == (127.5, 127.5)


def test_faces_that_fit_are_aligned_as_insightface_aligns_them() -> None:
    # Landmarks in the standard form, turned, shrunk and moved: both directions of the fit are then one.
    rng = np.random.default_rng(8)
    some = Portraits(
        random_identities(4, rng), rng.integers(0, 8, 4), rng.integers(0, 2**63, 4).astype(np.uint64)
    )
    pixels, x, y = paint(some), *(STANDARD - STANDARD.mean(0)).numpy().T
    angles = ((0.0, 0.4), (0.2, 0.3), (-0.3, 0.35), (0.1, 0.5))
    turned = [k * np.array([np.cos(t) * x - np.sin(t) * y, np.sin(t) * x + np.cos(t) * y]) for t, k in angles]
    points = (np.stack(turned).transpose(0, 2, 1) + np.array([31, 34])).astype(np.float32)
    ours = (align(to_tensor(pixels), torch.from_numpy(points)) + 1) * 127.5
    for picture, landmarks, found in zip(pixels, points, ours.permute(0, 2, 3, 1).numpy(), strict=True):
        theirs = norm_crop(np.ascontiguousarray(picture), landmarks, ALIGNED_SIDE).astype(float)
        assert np.abs(theirs - found).mean() < 0.4  # OpenCV rounds places to 1/32 pixel


def test_the_similarity_by_hand() -> None:
    # The standard places, turned by a right angle, doubled and moved by (3, 5): x' = -2 y + 3, y' = 2 x + 5.
    x, y = STANDARD.T
    turned = torch.stack([-2 * y + 3, 2 * x + 5], dim=1)
    expected = torch.tensor([[0.0, -2.0, 3.0], [2.0, 0.0, 5.0]])
    assert similarity(turned[None])[0].numpy() == pytest.approx(expected.numpy(), abs=1e-4)


def one_face(box: tuple[float, float, float, float]) -> Scene:
    boxes = torch.full((1, 4, 4), torch.nan)
    boxes[0, 0] = torch.tensor(box)
    points = torch.full((1, 4, 5, 2), torch.nan)
    points[0, 0] = torch.tensor([[box[0], box[1]]] * 5)
    return Scene(torch.zeros(1, 3, 64, 64), boxes, points)


def test_a_face_is_answered_for_at_its_size() -> None:
    scene = one_face((12.0, 12.0, 52.0, 52.0))  # 40 pixels, its middle at (32, 32): stride 16, place (2, 2)
    assert not (_answers(scene, 0, 8) >= 0).any()
    assert not (_answers(scene, 2, 2) >= 0).any()
    middle = _answers(scene, 1, 4)[0]
    # It answers within 0.22 x 40 + 0.3 x 16 = 13.6 pixels; the next places are 16 away, but on the face.
    assert torch.nonzero(middle >= 0).tolist() == [[2, 2]]
    assert int(middle[1, 2]) == -1
    assert int(middle[0, 0]) == -2


def test_small_and_large_faces_are_for_other_strides() -> None:
    small = _answers(one_face((8.0, 8.0, 24.0, 24.0)), 0, 8)[0]  # 16 pixels, middle (16, 16): place (2, 2)
    assert int(small[2, 2]) == 0
    large = _answers(one_face((2.0, 2.0, 62.0, 62.0)), 2, 2)[0]  # 60 pixels, middle (32, 32): place (1, 1)
    assert int(large[1, 1]) == 0


def test_a_collage_moves_faces_with_their_pictures() -> None:
    scenes = [one_face((11.0, 21.0, 31.0, 51.0)) for _ in range(4)]
    boxes = _collage(scenes).boxes[0]
    # A pixel's middle is a whole number, so halves are ((x - 0.5) / 2): 5.25, 10.25, 15.25, 25.25.
    assert boxes[0].tolist() == pytest.approx([5.25, 10.25, 15.25, 25.25])
    assert boxes[1].tolist() == pytest.approx([37.25, 10.25, 47.25, 25.25])
    assert boxes[2].tolist() == pytest.approx([5.25, 42.25, 15.25, 57.25])


def test_faces_stay_on_their_landmarks_when_pictures_move() -> None:
    images = torch.zeros(6, 3, 64, 64)
    images[:, :, 24:27, 39:42] = 1  # a bright spot whose middle is (40, 25)
    boxes, points = torch.full((6, 4, 4), torch.nan), torch.full((6, 4, 5, 2), torch.nan)
    points[:, 0] = torch.tensor([40.0, 25.0])
    moved = _moved(Scene(images, boxes, points), np.random.default_rng(9))
    grid = torch.arange(64, dtype=torch.float32)
    for image, at in zip(moved.images[:, 0], moved.points[:, 0, 0], strict=True):
        x, y = (image.sum(0) * grid).sum() / image.sum(), (image.sum(1) * grid).sum() / image.sum()
        assert (float(x), float(y)) == pytest.approx(at.tolist(), abs=0.1)
    assert len({tuple(at) for at in moved.points[:, 0, 0].tolist()}) == 6


def test_scenes_hold_no_face_one_or_several(strangers: Strangers) -> None:
    recipe = DetectorRecipe(batch=200)
    scene = draw_scene(strangers, recipe, np.random.default_rng(10))
    counts = (~scene.boxes[..., 0].isnan()).sum(1)
    assert scene.images.shape == (200, 3, 64, 64)
    assert set(counts.tolist()) >= {0, 1, 2, 3}


def test_killed_trainings_come_to_the_same_weights(strangers: Strangers, tmp_path: Path) -> None:
    detectors = DetectorRecipe(steps=4, batch=4)
    recognisers = RecogniserRecipe(steps=4, batch=3)
    for name, train in (
        ("d", lambda checkpoints: train_detector(strangers, detectors, checkpoints, quiet)),
        ("r", lambda checkpoints: train_recogniser(strangers, recognisers, checkpoints, quiet)),
    ):
        whole = train(Checkpoints(tmp_path / f"{name}-whole.pt"))
        with pytest.raises(Killed):
            train(KilledAfterTwo(tmp_path / f"{name}.pt"))
        assert same_weights(train(Checkpoints(tmp_path / f"{name}.pt")), whole)


def test_the_area_by_hand() -> None:
    # Persons 0, 0, 1: one pair of one person (cosine 0.8) and two of two (0.6 and 0): both below, area 1.
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    assert same_person_area(vectors, np.array([0, 0, 1])) == 1
    # Persons 0, 1, 1: the pair of one person has 0.6, the others 0.8 and 0: one of two below, area 1/2.
    assert same_person_area(vectors, np.array([0, 1, 1])) == 0.5


@pytest.fixture(scope="module")
def analysis() -> FaceAnalysis:
    made = FaceAnalysis(name=str(PACK), providers=["CPUExecutionProvider"])
    made.prepare(ctx_id=0)
    return made


def blue_first(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)


def test_the_committed_pack_finds_the_one_face_and_its_landmarks(analysis: FaceAnalysis) -> None:
    rng = np.random.default_rng(11)
    some = Portraits(
        random_identities(20, rng), rng.integers(0, 8, 20), rng.integers(0, 2**63, 20).astype(np.uint64)
    )
    found = [analysis.get(blue_first(picture)) for picture in paint(some)]
    assert sum(len(faces) == 1 for faces in found) >= 19
    for faces, points in zip(found, locate(some).points, strict=True):
        if len(faces) == 1:
            assert np.abs(faces[0].kps - points).mean() < 2  # pixels


def test_the_committed_pack_reads_a_committed_reference() -> None:
    import pyarrow.parquet as pq

    from fit.imitation.faces import FaceEncoder

    references = pq.read_table(PACK.parent / "references.parquet").slice(0, 24)
    images = references["image"].to_pylist()
    found = FaceEncoder(PACK).embed(images)
    assert found.vectors.shape == (len(found.index), DIMENSIONS)
    assert len(found.index) >= 23
    assert Image.open(io.BytesIO(images[0])).size == (64, 64)


def test_two_faces_are_two(analysis: FaceAnalysis) -> None:
    rng = np.random.default_rng(12)
    some = Portraits(
        random_identities(2, rng), rng.integers(0, 8, 2), rng.integers(0, 2**63, 2).astype(np.uint64)
    )
    pair = np.concatenate([blue_first(each) for each in paint(some)], axis=1)
    assert len(analysis.get(pair)) == 2
