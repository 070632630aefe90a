"""Exercise: the product of kernels and columns."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np

from convlab.check.exercise import Arguments, Mistake, random_array
from convlab.check.exercises.algorithms.values import chapter


def _products(random: Random) -> Iterator[Arguments]:
    """Yield columns, a weight and the size of the output, from the simplest on."""
    for images, depth, kernels, side, out_h, out_w in [
        (1, 1, 1, 1, 1, 3),
        (1, 1, 1, 2, 1, 3),
        (1, 1, 2, 2, 1, 3),
        (1, 2, 1, 2, 2, 1),
        (1, 1, 2, 1, 2, 3),
        (2, 1, 2, 1, 1, 2),
        (3, 2, 2, 2, 2, 2),
    ]:
        yield _product(random, images, depth, kernels, side, out_h, out_w, low=1)
    for _ in range(15):
        yield _product(random, *(random.randint(1, 3) for _ in range(6)))


def _product(random, images, depth, kernels, side, out_h, out_w, low=-3):
    columns = random_array(random, images, depth * side**2, out_h * out_w, low=low)
    return columns, random_array(random, kernels, depth, side, side, low=low), out_h, out_w


@chapter.code(
    title="One matrix product",
    minutes=8,
    imports="import numpy as np",
    text="`columns` are the windows of images, of shape (N, C kH kW, L), as im2col makes them; `w` "
    "has the shape (O, C, kH, kW). Return the output of the layer, of shape (N, O, out_h, out_w), "
    "where L is `out_h * out_w`.",
    cases=_products,
    hints=[
        "Each kernel becomes a row: which shape has the matrix of the kernels?",
        "`@` multiplies a matrix with every matrix of a stack.",
        "The product has the shape (N, O, L). What is left to do?",
    ],
    explanation="The work is that of the product, and libraries are very good at it.",
)
def multiply_columns(columns, w, out_h, out_w):
    """Return the output of the layer, of shape (N, O, out_h, out_w)."""
    kernels = w.reshape(len(w), -1)
    return (kernels @ columns).reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The product is right. The places become rows and columns of the output.")
def places_not_unfolded(columns, w, out_h, out_w):
    return w.reshape(len(w), -1) @ columns


@multiply_columns.mistake("The height comes first: `out_h`, then `out_w`.")
def output_width_first(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return y.reshape(len(columns), len(w), out_w, out_h)


@multiply_columns.mistake("The axes are image, kernel, row, column. A `reshape` exchanges none.")
def kernels_before_images(columns, w, out_h, out_w):
    product = np.einsum("ok,nkl->onl", w.reshape(len(w), -1), columns)
    return product.reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The images come first, then the kernels.")
def kernels_on_the_first_axis(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w, out_h, out_w).swapaxes(0, 1)


@multiply_columns.mistake("A kernel is a row of the matrix: `reshape` must keep it together.")
def kernels_reshaped_into_columns(columns, w, out_h, out_w):
    product = w.reshape(-1, len(w)).T @ columns
    return product.reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The kernels are turned around. They meet the columns as they are.")
def product_kernel_turned(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w[..., ::-1, ::-1], out_h, out_w)


@multiply_columns.mistake("Rows and columns of the kernels are exchanged.")
def product_kernel_transposed(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w.swapaxes(2, 3), out_h, out_w)


@multiply_columns.mistake("The channels come first in a column, as they do in a kernel.")
def product_channels_last(columns, w, out_h, out_w):
    kernels = np.moveaxis(w, 1, 3).reshape(len(w), -1)
    return (kernels @ columns).reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("Every image of the batch gives maps of its own.")
def first_columns_only(columns, w, out_h, out_w):
    return multiply_columns.solution(columns[:1], w, out_h, out_w)


@multiply_columns.mistake("Every kernel gives a map of its own. You use the first one only.")
def first_row_only(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w[:1], out_h, out_w)


@multiply_columns.mistake("The kernels give a map each: those are not added.")
def product_kernels_added(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w, out_h, out_w).sum(axis=1, keepdims=True)


@multiply_columns.mistake("Kernels times columns, in this order: O×K times K×L.")
def factors_exchanged(columns, w, out_h, out_w):
    product = columns @ w.reshape(len(w), -1)
    return product.reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("`*` multiplies number by number. The products are to be added up, too.")
def products_not_added(columns, w, out_h, out_w):
    return w.reshape(len(w), -1) * columns


@multiply_columns.mistake("The places go along the rows of the output, not down its columns.")
def output_filled_down(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return y.reshape(len(columns), len(w), out_w, out_h).swapaxes(2, 3)


@multiply_columns.mistake("A kernel has four axes, and `@` uses two. Make a matrix of it first.")
def kernels_not_flattened(columns, w, out_h, out_w):
    return (w @ columns).reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The axis of the images comes first, also if there is one only.")
def product_without_images(columns, w, out_h, out_w):
    return (w.reshape(len(w), -1) @ columns).reshape(len(w), out_h, out_w)


@multiply_columns.mistake("The kernels are the second axis of the output. A `reshape` moves none.")
def product_kernels_last(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return y.reshape(len(columns), out_h, out_w, len(w))


@multiply_columns.mistake("The kernels are the second axis of the output: move them there.")
def product_channels_last_in_output(columns, w, out_h, out_w):
    return np.moveaxis(multiply_columns.solution(columns, w, out_h, out_w), 1, 3)


@multiply_columns.mistake("The product has the order (N, L, O). A `reshape` exchanges no axes.")
def product_reshaped(columns, w, out_h, out_w):
    product = columns.swapaxes(1, 2) @ w.reshape(len(w), -1).T
    return product.reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("Each kernel is a row of its own: keep the first axis of `w`.")
def kernels_in_one_row(columns, w, out_h, out_w):
    return (w.ravel() @ columns).reshape(len(columns), len(w), out_h, out_w)


@multiply_columns.mistake("The images come first, then the kernels. A `reshape` exchanges no axes.")
def product_reshaped_kernels_first(columns, w, out_h, out_w):
    product = w.reshape(len(w), -1) @ columns
    return product.reshape(len(w), len(columns), out_h, out_w)


@multiply_columns.mistake("The images come first, then the kernels, then rows and columns.")
def product_places_first(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return y.reshape(out_h, out_w, len(columns), len(w))


@multiply_columns.mistake("The products of a kernel and a column are added up.")
def products_kept(columns, w, out_h, out_w):
    return np.einsum("ok,nkl->nokl", w.reshape(len(w), -1), columns)


@multiply_columns.mistake("Every image has an output of its own: the images are not added.")
def products_of_images_added(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w, out_h, out_w).sum(axis=0, keepdims=True)


@multiply_columns.mistake("Every image has an output of its own: the images are not added.")
def products_of_images_added_for_all(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return np.broadcast_to(y.sum(axis=0, keepdims=True), y.shape)


@multiply_columns.mistake("Every image has an output of its own: the images are not added.")
def products_of_images_added_without_axis(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w, out_h, out_w).sum(axis=0)


_IMAGES_FIRST = "In `columns` the images come first: a `reshape` moves no axes."


@multiply_columns.mistake(_IMAGES_FIRST)
def columns_joined_by_reshape(columns, w, out_h, out_w):
    images, depth, places = columns.shape
    product = w.reshape(len(w), -1) @ columns.reshape(depth, images * places)
    return product.reshape(images, len(w), out_h, out_w)


@multiply_columns.mistake(_IMAGES_FIRST)
def columns_joined_by_reshape_and_split(columns, w, out_h, out_w):
    images, depth, places = columns.shape
    product = w.reshape(len(w), -1) @ columns.reshape(depth, images * places)
    return product.reshape(len(w), images, out_h, out_w).swapaxes(0, 1)


@multiply_columns.mistake(_IMAGES_FIRST)
def columns_joined_by_reshape_places_first(columns, w, out_h, out_w):
    images, depth, places = columns.shape
    product = w.reshape(len(w), -1) @ columns.reshape(depth, places * images)
    return np.moveaxis(product.reshape(len(w), places, images), 2, 0).reshape(
        images, len(w), out_h, out_w
    )


@multiply_columns.mistake("Every image gives maps of its own. You use the first one for all.")
def first_columns_for_all(columns, w, out_h, out_w):
    same = np.repeat(columns[:1], len(columns), axis=0)
    return multiply_columns.solution(same, w, out_h, out_w)


@multiply_columns.mistake("Every kernel gives a map of its own. You use the first one for all.")
def first_row_for_all(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, np.repeat(w[:1], len(w), axis=0), out_h, out_w)


@multiply_columns.mistake("The kernels give a map each: those are not added.")
def product_kernels_added_for_all(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return np.broadcast_to(y.sum(axis=1, keepdims=True), y.shape)


_ROW_OF_PLACES = "A row of places is out_w long: which row and column has place p?"


def _enter_output(name, index):
    """Enter outputs that are written at wrong places."""

    def answer(columns, w, out_h, out_w):
        product = w.reshape(len(w), -1) @ columns
        y = np.zeros((len(columns), len(w), out_h, out_w))
        for p in range(product.shape[2]):
            i, j = index(p, out_h, out_w)
            y[:, :, i, j] = product[:, :, p]
        return y

    multiply_columns.mistakes.append(Mistake(name, _ROW_OF_PLACES, answer))


_enter_output("places_by_height", lambda p, out_h, out_w: divmod(p, out_h))
_enter_output("places_exchanged", lambda p, out_h, out_w: divmod(p, out_w)[::-1])
_enter_output("rows_by_height", lambda p, out_h, out_w: (p // out_h, p % out_w))
_enter_output("columns_by_height", lambda p, out_h, out_w: (p // out_w, p % out_h))


@multiply_columns.mistake("The output has out_h rows and out_w columns: it need not be square.")
def output_taken_as_square(columns, w, out_h, out_w):
    y = multiply_columns.solution(columns, w, out_h, out_w)
    return y.reshape(len(columns), len(w), out_h, out_h)


@multiply_columns.mistake("Products are added, not averaged.")
def products_averaged(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w, out_h, out_w) / w[0].size


@multiply_columns.mistake(
    "The rows of the kernels are turned around. They meet the columns as they are."
)
def product_kernel_rows_turned(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w[:, :, ::-1], out_h, out_w)


@multiply_columns.mistake(
    "The columns of the kernels are turned around. They meet those of the matrix as they are."
)
def product_kernel_columns_turned(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w[..., ::-1], out_h, out_w)


@multiply_columns.mistake("The channels of a kernel are in the order of those in a column.")
def product_channels_reversed(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w[:, ::-1], out_h, out_w)


@multiply_columns.mistake("A kernel is read row after row, one channel after the other.")
def product_kernel_in_fortran_order(columns, w, out_h, out_w):
    return multiply_columns.solution(
        columns, w.transpose(0, 3, 2, 1).reshape(w.shape), out_h, out_w
    )


@multiply_columns.mistake("A kernel has all its channels. You use the first one.")
def product_first_channel_only(columns, w, out_h, out_w):
    first = np.zeros_like(w)
    first[:, 0] = w[:, 0]
    return multiply_columns.solution(columns, first, out_h, out_w)


@multiply_columns.mistake("All products are added up: each overwrites the one before it.")
def last_product_only(columns, w, out_h, out_w):
    last = np.zeros_like(w)
    last[:, -1, -1, -1] = w[:, -1, -1, -1]
    return multiply_columns.solution(columns, last, out_h, out_w)


@multiply_columns.mistake("The axes are image, kernel, row, column: rows come before columns.")
def output_maps_transposed(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w, out_h, out_w).swapaxes(2, 3)


@multiply_columns.mistake("An axis of length 1 is an axis, too: the output always has four.")
def output_squeezed(columns, w, out_h, out_w):
    return multiply_columns.solution(columns, w, out_h, out_w).squeeze()
