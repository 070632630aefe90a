"""Tests of pictures of one's own: single files of all kinds, and folders of classes."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.datasets import ImageFolder

from convlab.data import DataError, load_folder, read_image
from tests.data.picture_files import COLORS, write_classes, write_picture

# --- one picture ----------------------------------------------------------------------------------


def saved(tmp_path, picture, name="a.png", **options):
    picture.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """Return a folder for the pictures of property tests."""
    return tmp_path_factory.mktemp("pictures")


@settings(max_examples=60)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from([1, 3]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_a_picture_of_the_right_size_keeps_every_pixel(scratch, size, channels, colored, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3 if colored else 1), np.uint8)
    path = write_picture(scratch / "a.png", pixels if colored else pixels[:, :, 0])
    image = read_image(path, (channels, *size))
    assert image.shape == (channels, *size)
    if colored and channels == 1:
        luma = pixels @ [0.299, 0.587, 0.114]
        np.testing.assert_allclose(image[0], luma, atol=0.51)
    else:
        np.testing.assert_array_equal(
            image, np.broadcast_to(pixels.transpose(2, 0, 1), image.shape)
        )


@settings(max_examples=60)
@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.tuples(st.integers(1, 30), st.integers(1, 30)),
    st.tuples(*[st.integers(0, 255)] * 3),
)
def test_a_picture_of_one_color_keeps_it_at_every_size(scratch, size, image_size, color):
    path = saved(scratch, Image.new("RGB", size[::-1], color))
    image = read_image(path, (3, *image_size))
    assert image.shape == (3, *image_size)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, np.broadcast_to(np.reshape(color, (3, 1, 1)), image.shape))


def test_the_middle_is_cut_out_and_the_rest_scaled_with_antialiasing(tmp_path):
    wide = np.zeros((30, 90), np.uint8)
    wide[:, 30:60] = np.indices((30, 30)).sum(0) % 2 * 255  # a checkerboard between black borders
    path = write_picture(tmp_path / "wide.png", wide)
    np.testing.assert_array_equal(read_image(path, (1, 30, 30))[0], wide[:, 30:60])
    inner = read_image(path, (1, 3, 3))[0, :, 1]
    assert (abs(inner.astype(int) - 127) <= 2).all()
    tall = write_picture(tmp_path / "tall.png", wide.T)
    np.testing.assert_array_equal(read_image(tall, (1, 30, 30))[0], wide.T[30:60])


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_photograph_is_scaled_as_if_it_was_decoded_at_its_full_size(tmp_path, orientation):
    coarse = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = Image.fromarray(coarse).resize((640, 480))
    path = saved(tmp_path, photo, "photo.jpg", quality=95, exif=exif)
    middle = photo.rotate(-90, expand=True) if orientation == 6 else photo
    left, top = ((side - 480) // 2 for side in middle.size)
    middle = middle.crop((left, top, left + 480, top + 480)).resize((96, 96), Image.BILINEAR)
    difference = read_image(path, (3, 96, 96)) - np.asarray(middle, np.float64).transpose(2, 0, 1)
    assert abs(difference).mean() < 1.5


def test_the_orientation_of_a_camera_is_applied(tmp_path):
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by a quarter
    path = saved(tmp_path, Image.fromarray(pixels), exif=exif)
    np.testing.assert_array_equal(read_image(path, (1, 3, 2))[0], np.rot90(pixels, -1))


TRANSPARENT = Image.new("P", (4, 4), 1)
TRANSPARENT.putpalette([0, 0, 0, 255, 0, 0])


@pytest.mark.parametrize(
    ("picture", "name", "options", "pixel"),
    [
        (Image.new("RGBA", (4, 4), (255, 0, 0, 255)), "a.png", {}, (255, 0, 0)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), "a.png", {}, (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (200, 100, 0, 51)), "a.png", {}, (244, 224, 204)),
        (Image.new("LA", (4, 4), (0, 0)), "a.png", {}, (255, 255, 255)),
        (Image.new("LA", (4, 4), (7, 255)), "a.png", {}, (7, 7, 7)),
        (TRANSPARENT, "a.png", {}, (255, 0, 0)),
        (TRANSPARENT, "a.png", {"transparency": 1}, (255, 255, 255)),
        (Image.new("RGB", (4, 4), (1, 2, 3)), "a.png", {"transparency": (1, 2, 3)}, (255,) * 3),
        (Image.new("1", (4, 4), 1), "a.png", {}, (255, 255, 255)),
        (Image.new("CMYK", (4, 4), (255, 0, 0, 0)), "a.tiff", {}, (0, 255, 255)),
        (Image.new("I;16", (4, 4), 40000), "a.png", {}, (156, 156, 156)),
        (Image.new("I;16", (4, 4), 255), "a.png", {}, (0, 0, 0)),
        (Image.new("I;16", (4, 4), 65535), "a.tiff", {}, (255, 255, 255)),
        (Image.fromarray(np.full((4, 4), 40000, ">u2")), "a.tiff", {}, (156, 156, 156)),
        (Image.new("I", (4, 4), 40000), "a.pgm", {}, (156, 156, 156)),
        (Image.new("RGB", (4, 4), (9, 8, 7)), "a.bmp", {}, (9, 8, 7)),
        (Image.new("L", (4, 4), 9), "a.ppm", {}, (9, 9, 9)),
    ],
)  # fmt: skip
def test_a_picture_of_any_mode(tmp_path, picture, name, options, pixel):
    image = read_image(saved(tmp_path, picture, name, **options), (3, 4, 4))
    np.testing.assert_array_equal(image, np.broadcast_to(np.reshape(pixel, (3, 1, 1)), (3, 4, 4)))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("letter.png", b"Dear reader", "cannot identify image file"),
        ("empty.jpg", b"", "cannot identify image file"),
        ("half.jpg", "half", "truncated"),
        ("half.png", "half", "truncated|broken|unrecognized"),
        ("missing.png", None, "No such file or directory"),
        ("float.tiff", Image.new("F", (2, 2)), "floating-point"),
        ("deep.tiff", Image.new("I", (2, 2), 70000), "more than 16 bits"),
    ],
)
def test_a_picture_that_cannot_be_read_is_named(tmp_path, name, content, reason):
    path = tmp_path / name
    if content == "half":
        noise = np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)
        write_picture(path, noise)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif isinstance(content, Image.Image):
        content.save(path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=f"{name} cannot be read as a picture: .*({reason})"):
        read_image(path, (3, 2, 2))


@pytest.mark.parametrize("shape", [(2, 4, 4), (4, 4, 4), (3, 0, 4)])
def test_the_shape_of_an_image_is_checked(tmp_path, shape):
    with pytest.raises(
        ValueError, match=r"1 or 3 channels, but images have|image_shape\[1:\]\[0\]"
    ):
        read_image(write_picture(tmp_path / "a.png", np.zeros((4, 4))), shape)


# --- a folder -------------------------------------------------------------------------------------


def test_classes_labels_and_pictures_are_those_of_image_folder(tmp_path):
    write_classes(tmp_path)
    write_classes(tmp_path / "red" / "more", count=2, classes=["blue"])  # all of it is red
    write_picture(tmp_path / "été" / "a.PNG", np.zeros((3, 3, 3)))
    (tmp_path / "red" / "notes.txt").write_text("not a picture")
    data = load_folder(tmp_path, (9, 7), test_fraction=0)
    expected = ImageFolder(tmp_path)
    assert list(data.class_names) == expected.classes == ["blue", "green", "red", "été"]
    assert data.train_labels.tolist() == expected.targets
    assert len(data.test_labels) == len(data.validation_labels) == 0
    for image, (path, _) in zip(data.train_images, expected.samples, strict=True):
        np.testing.assert_array_equal(image, read_image(path, (3, 9, 7)))


@pytest.mark.parametrize(
    ("folders", "counts"),
    [
        ({"train": 4, "val": 2, "test": 1}, (12, 6, 3)),
        ({"train": 4, "test": 1}, (12, 0, 3)),
        ({"Train": 4, "Valid": 2}, (12, 6, 0)),
        ({"training": 4, "testing": 1}, (12, 0, 3)),
        ({"train": 4, "validation": 1, "originals": 3}, (12, 3, 0)),
        ({"train": 5}, (12, 0, 3)),
        ({".": 5}, (12, 0, 3)),
    ],
)
def test_layouts_of_a_folder(tmp_path, folders, counts):
    for seed, (name, count) in enumerate(folders.items()):
        write_classes(tmp_path / name, count, seed=seed)
    data = load_folder(tmp_path, 8)
    parts = (data.train_labels, data.validation_labels, data.test_labels)
    assert tuple(len(part) for part in parts) == counts
    assert data.class_names == tuple(COLORS)
    assert all((np.bincount(part, minlength=3) == len(part) / 3).all() for part in parts)


def test_a_fifth_of_each_class_is_held_out_and_always_the_same(tmp_path):
    write_classes(tmp_path, count=10)
    data, again = load_folder(tmp_path, 8), load_folder(str(tmp_path), (8, 8))
    assert np.bincount(data.train_labels).tolist() == [8, 8, 8]
    assert np.bincount(data.test_labels).tolist() == [2, 2, 2]
    np.testing.assert_array_equal(data.test_images, again.test_images)
    everything = load_folder(tmp_path, 8, test_fraction=0).train_images
    parts = [*data.train_images, *data.test_images]
    assert sorted(image.tobytes() for image in parts) == sorted(map(np.ndarray.tobytes, everything))


def test_a_class_may_have_the_name_of_a_part(tmp_path):
    for name in ("car", "train", "valid"):
        write_picture(tmp_path / name / "a.png", np.zeros((3, 3)))
    assert load_folder(tmp_path, 3).class_names == ("car", "train", "valid")


def test_hidden_files_and_folders_are_ignored(tmp_path):
    write_classes(tmp_path)
    (tmp_path / "red" / "._0.png").write_bytes(b"made by another system")
    for folder in (tmp_path, tmp_path / "red"):
        write_picture(folder / ".ipynb_checkpoints" / "0.png", np.zeros((3, 3)))
        write_picture(folder / "__MACOSX" / "0.png", np.zeros((3, 3)))
    data = load_folder(tmp_path, 8, test_fraction=0)
    assert data.class_names == tuple(COLORS)
    assert np.bincount(data.train_labels).tolist() == [5, 5, 5]


def test_links_and_the_home_folder_are_followed(tmp_path, monkeypatch):
    write_classes(tmp_path / "elsewhere")
    (tmp_path / "here").mkdir()
    for name in ("blue", "red"):
        (tmp_path / "here" / name).symlink_to(tmp_path / "elsewhere" / name)
    monkeypatch.setenv("HOME", str(tmp_path))
    data = load_folder("~/here", 8, test_fraction=0)
    assert len(data.train_labels) == 10
    np.testing.assert_array_equal(read_image("~/here/blue/0.png", (3, 8, 8)), data.train_images[0])


def test_a_folder_that_a_link_repeats_counts_once(tmp_path):
    write_classes(tmp_path, count=2)
    (tmp_path / "red" / "self").symlink_to(tmp_path / "red")
    (tmp_path / "red" / "other").symlink_to(tmp_path / "blue")
    data = load_folder(tmp_path, 8, test_fraction=0)
    assert np.bincount(data.train_labels).tolist() == [2, 2, 4]  # blue, green, red


def test_an_unknown_home_folder_is_named():
    with pytest.raises(ValueError, match="home folder in '~nobody-has-this-name/a' is unknown"):
        load_folder("~nobody-has-this-name/a")


def test_the_images_are_gray_if_no_picture_has_a_color(tmp_path):
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        for number in range(5):
            gray = random.integers(0, 256, (9, 9), np.uint8)
            write_picture(tmp_path / name / f"{number}.png", gray)
    write_picture(tmp_path / "a" / "as color.png", np.stack([gray] * 3, 2))
    data = load_folder(tmp_path, 8)
    assert data.image_shape == (1, 8, 8)
    in_color = load_folder(tmp_path, 8, channels=3)
    np.testing.assert_array_equal(in_color.train_images, data.train_images.repeat(3, 1))
    write_picture(tmp_path / "b" / "with color.png", random.integers(0, 256, (9, 9, 3)))
    assert load_folder(tmp_path, 8).image_shape == (3, 8, 8)
    again = load_folder(tmp_path, 8, channels=1, test_fraction=0)
    assert again.image_shape == (1, 8, 8)
    paths = [path for path, _ in ImageFolder(tmp_path).samples]
    for image, path in zip(again.train_images, paths, strict=True):
        np.testing.assert_array_equal(image, read_image(path, (1, 8, 8)))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], r"at least two classes; it has no folders"),
        (["a/1.png"], "it has only the folder a"),
        (["set/a/1.png", "set/b/1.png"], "it has only the folder set"),
        (["a/1.png", "b/notes.txt"], r"b holds no pictures"),
        (["train/1.png", "test/1.png"], r"train must hold .* it has no folders"),
        (["train/a/1.png", "train/b/1.png", "test/c/1.png"], "test has the class c, which"),
        (["val/a/1.png", "test/a/1.png"], "must hold one folder train, .* it holds test, val"),
        (["train/a/1.png", "val/a/1.png", "valid/a/1.png"], "holds train, val, valid"),
        (["a/1.png", "b/1.png", "val/a/2.png"], "must hold one folder train, .* holds a, b, val"),
    ],
)
def test_a_folder_that_is_not_a_data_set_is_refused(tmp_path, files, message):
    for name in files:
        path = write_picture(tmp_path / name.replace("txt", "png"), np.zeros((2, 2)))
        path.rename(tmp_path / name)
    with pytest.raises(DataError, match=message):
        load_folder(tmp_path, 2)


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_a_folder_that_cannot_be_read_is_named(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=f"{name}: N"):  # No such file, Not a directory
        load_folder(tmp_path / name)


def test_a_damaged_picture_in_a_folder_is_named(tmp_path):
    write_classes(tmp_path)
    (tmp_path / "red" / "3.png").write_bytes(b"\x89PNG")
    with pytest.raises(DataError, match=r"red/3\.png cannot be read".replace("/", f"\\{os.sep}")):
        load_folder(tmp_path, 8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 0}, "image_size must be at least 1, got 0"),
        ({"channels": 4}, "channels must be 1, 3 or None, got 4"),
        ({"test_fraction": 1}, "test_fraction must be at least 0 and below 1, got 1"),
        ({"test_fraction": float("nan")}, "test_fraction must be at least 0"),
    ],
)
def test_arguments_of_the_folder_are_checked(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        load_folder(tmp_path, **arguments)


@pytest.mark.parametrize("size", [10**8, 10**12])
def test_images_that_do_not_fit_into_memory_are_refused_before_any_is_read(tmp_path, size):
    write_classes(tmp_path)
    with pytest.raises(DataError, match=f"12 images of 3 x {size} x {size} bytes do not fit"):
        load_folder(tmp_path, size)


@pytest.mark.parametrize(
    ("missing", "name", "call"),
    [
        ("torchvision", "torchvision", "load_folder(path, 8)"),
        ("PIL", "Pillow", "read_image(path, (1, 8, 8))"),
    ],
)
def test_a_missing_package_is_named(tmp_path, missing, name, call):
    write_classes(tmp_path)
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from convlab.data import load_folder, read_image\n"
        f"path = {str(tmp_path)!r}\n"
        f"try: {call}\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"needs {name}, which is not installed: pip install" in done.stdout
