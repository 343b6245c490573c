"""Loops of the generators (method M10): plain Python that numba compiles unchanged (see engine/_jit.py).

Random words come from counters and not from a state that is handed on: word `j` of a path is word `j % 4` of the block
`j // 4` that Philox makes of (block, kind of stream, path) under the seed's key. A `stream` is the five of those that
stay: the low and high half of the key, the kind, the low and high half of the path's number. All are below 2^32 and
held in 64 bits, where the product of two wraps around once compiled; what the masks leave of it is the same in both
forms. Words are exact in both, what goes through log, exp and cos agrees to rounding.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Rows = NDArray[np.int32]
    Bools = NDArray[np.bool_]
    Stream = tuple[int, int, int, int, int]

MASK = 0xFFFFFFFF
# Words made at a time: Philox blocks do not wait for each other, so the processor overlaps them.
BATCH = 64
# Kinds of streams: blocks of days, normal numbers, states, tries at chi-squares, their tests.
DAYS, NORMALS, STATES, SCALES, TESTS = 0, 1, 2, 3, 4
# The guide to the table of lengths is entered by the word's leading 12 bits.
GUIDE_SHIFT = 20


# --- random words ---


def philox(c0: int, c1: int, c2: int, c3: int, low: int, high: int) -> tuple[int, int, int, int]:
    """Four words of Philox 4x32-10 from a counter and a key (Salmon and others, SC11, 2011)."""
    for _ in range(10):
        p = 0xD2511F53 * c0
        q = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = ((q >> 32) & MASK) ^ c1 ^ low, q & MASK, ((p >> 32) & MASK) ^ c3 ^ high, p & MASK
        low = (low + 0x9E3779B9) & MASK
        high = (high + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def stream_of(low: int, high: int, kind: int, path: int) -> Stream:
    """Stream of one kind for one path."""
    return low, high, kind, path & MASK, path >> 32


def fill_words(stream: Stream, block: int, words: Ints) -> None:
    """Words of consecutive blocks of a stream, from `block` on."""
    low, high, kind, path_low, path_high = stream
    for i in range(len(words) // 4):
        w0, w1, w2, w3 = philox(block + i, kind, path_low, path_high, low, high)
        words[4 * i] = w0
        words[4 * i + 1] = w1
        words[4 * i + 2] = w2
        words[4 * i + 3] = w3


def uniform(word: int) -> float:
    """Number strictly between 0 and 1, the middle of the word's share."""
    return (word + 0.5) * 2.3283064365386963e-10


def add_normals(words: Ints, normals: Floats, count: int) -> int:
    """Write standard normal numbers from place `count` on; return the place after them.

    Marsaglia's polar method makes two of each pair of words that lies in the circle. Pairs outside are written too, and
    over by the next, as branches on chance cost more than logarithms: one place more than is filled must be there.
    """
    for i in range(len(words) // 2):
        x = 2.0 * uniform(words[2 * i]) - 1.0
        y = 2.0 * uniform(words[2 * i + 1]) - 1.0
        square = x * x + y * y
        stretch = math.sqrt(2.0 * abs(math.log(square)) / square)
        normals[count] = x * stretch
        normals[count + 1] = y * stretch
        count += 2 if square < 1.0 else 0
    return count


def fill_normals(stream: Stream, wanted: int, words: Ints, normals: Floats) -> None:
    """The first normal numbers of a stream; there must be room for a batch more than are wanted."""
    count, block = 0, 0
    while count < wanted:
        fill_words(stream, block, words)
        block += len(words) // 4
        count = add_normals(words, normals, count)


# --- blocks of days ---


def draw_blocks(
    words: Ints, history: int, survival: Ints, guide: Ints, starts: Ints, lengths: Ints, lasting: Bools
) -> None:
    """Start and length of blocks, two words each; one that outlives the table is `lasting`: the next continues it.

    A start is the word's share of the history, by multiplication: each day's chance is right to `history / 2^32`.
    """
    last = len(survival) - 1
    for i in range(len(starts)):
        starts[i] = (words[2 * i] * history) >> 32
        word = words[2 * i + 1]
        length = guide[word >> GUIDE_SHIFT]
        while length < last and word < survival[length]:
            length += 1
        lengths[i] = length
        lasting[i] = word < survival[last]


def write_blocks(
    row: Rows, t: int, day: int, going: bool, history: int, starts: Ints, lengths: Ints, lasting: Bools
) -> tuple[int, int, bool]:
    """Write blocks from session t on until they or the row end; return the next session, the next day, and whether the
    last block goes on."""
    n = len(row)
    for i in range(len(starts)):
        if not going:
            day = starts[i]
        going = lasting[i]
        end = min(t + lengths[i], n)
        while t < end:
            stop = min(end, t + history - day)
            for j in range(stop - t):
                # Unsigned, or compiled code asks at every session whether to count from the end.
                row[np.uint64(t + j)] = day + j
            day += stop - t
            t = stop
            if day == history:
                day = 0
    return t, day, going


def resample_row(
    stream: Stream,
    history: int,
    survival: Ints,
    guide: Ints,
    words: Ints,
    starts: Ints,
    lengths: Ints,
    lasting: Bools,
    row: Rows,
) -> None:
    """Days of one path.

    Drawing a batch of blocks before writing them halves the time: neither loop waits for the other's branches.
    """
    t, day, block = 0, 0, 0
    going = False
    while t < len(row):
        fill_words(stream, block, words)
        block += len(words) // 4
        draw_blocks(words, history, survival, guide, starts, lengths, lasting)
        t, day, going = write_blocks(row, t, day, going, history, starts, lengths, lasting)


def resample_rows(low: int, high: int, first: int, history: int, survival: Ints, guide: Ints, rows: Rows) -> None:
    """Days of the paths from `first` on, in circular blocks of geometric length."""
    words = np.zeros(BATCH, np.int64)
    starts, lengths = np.zeros(BATCH // 2, np.int64), np.zeros(BATCH // 2, np.int64)
    lasting = np.zeros(BATCH // 2, np.bool_)
    for p in range(rows.shape[0]):
        stream = stream_of(low, high, DAYS, first + p)
        resample_row(stream, history, survival, guide, words, starts, lengths, lasting, rows[p])


# --- filtered history ---


def gjr_variances(e: Floats, omega: float, alpha: float, gamma: float, beta: float, first: float, h: Floats) -> None:
    """Variance of each session known the day before, and in the last place that of the next; the first is given."""
    h[0] = first
    for t in range(len(e)):
        news = alpha + gamma if e[t] < 0.0 else alpha
        h[t + 1] = omega + news * e[t] * e[t] + beta * h[t]


def gjr_likelihood(e: Floats, alpha: float, gamma: float, beta: float, slope: Floats) -> float:
    """Mean of `(ln h + e^2/h)/2` over shocks of mean square 1 under variance targeting with k = 1/2, and its slope."""
    n = len(e)
    h = 1.0
    by_alpha, by_gamma, by_beta, total = 0.0, 0.0, 0.0, 0.0
    slope[:] = 0.0
    omega = 1.0 - alpha - 0.5 * gamma - beta
    for t in range(n):
        square = e[t] * e[t]
        below = 1.0 if e[t] < 0.0 else 0.0
        total += 0.5 * (math.log(h) + square / h)
        force = 0.5 * (1.0 - square / h) / h
        slope[0] += force * by_alpha / n
        slope[1] += force * by_gamma / n
        slope[2] += force * by_beta / n
        by_alpha = square - 1.0 + beta * by_alpha
        by_gamma = below * square - 0.5 + beta * by_gamma
        by_beta = h - 1.0 + beta * by_beta
        h = omega + (alpha + gamma * below) * square + beta * h
    return total / n


def filtered_path(row: Rows, residuals: Floats, model: Floats, cap: Floats, h: Floats, shocks: Floats) -> int:
    """Shocks of one path, (sessions, K), from its variances `h` on; return how many variances were capped."""
    hits = 0
    for t in range(len(row)):
        for k in range(len(h)):
            z = residuals[row[t], k]
            shock = math.sqrt(h[k]) * z
            shocks[t, k] = shock
            news = model[k, 1] + model[k, 2] if z < 0.0 else model[k, 1]
            variance = model[k, 0] + news * shock * shock + model[k, 3] * h[k]
            if variance > cap[k]:
                variance = cap[k]
                hits += 1
            h[k] = variance
    return hits


def filtered_paths(
    low: int,
    high: int,
    first: int,
    survival: Ints,
    guide: Ints,
    residuals: Floats,
    model: Floats,
    start: Floats,
    cap: Floats,
    drift: Floats,
    out: Floats,
) -> int:
    """Simple returns of the paths from `first` on, (paths, sessions, K); return how many variances were capped.

    `model` has a row an index: omega, alpha, gamma, beta.
    """
    words = np.zeros(BATCH, np.int64)
    starts, lengths = np.zeros(BATCH // 2, np.int64), np.zeros(BATCH // 2, np.int64)
    lasting = np.zeros(BATCH // 2, np.bool_)
    row = np.zeros(out.shape[1], np.int32)
    h = np.zeros(len(start))
    hits = 0
    for p in range(out.shape[0]):
        stream = stream_of(low, high, DAYS, first + p)
        resample_row(stream, len(residuals), survival, guide, words, starts, lengths, lasting, row)
        h[:] = start
        hits += filtered_path(row, residuals, model, cap, h, out[p])
        for t in range(out.shape[1]):
            for k in range(out.shape[2]):
                out[p, t, k] = math.exp(drift[k] + out[p, t, k]) - 1.0
    return hits


def filtered_squares(rows: Rows, residuals: Floats, model: Floats, start: Floats, cap: Floats, out: Floats) -> None:
    """Mean squared shock of each path, (paths, K), over the residuals of its rows."""
    shocks = np.zeros((rows.shape[1], len(start)))
    h = np.zeros(len(start))
    for p in range(rows.shape[0]):
        h[:] = start
        filtered_path(rows[p], residuals, model, cap, h, shocks)
        for k in range(len(start)):
            total = 0.0
            for t in range(rows.shape[1]):
                total += shocks[t, k] * shocks[t, k]
            out[p, k] = total / rows.shape[1]


# --- multivariate t ---


def fill_chi_squares(
    tries: Stream, tests: Stream, degrees: float, words: Ints, normals: Floats, chi_squares: Floats
) -> None:
    """Chi-squares by the method of Marsaglia and Tsang (2000), for degrees of at least 2: a try is a normal number of
    one stream, which a word of the other may refuse."""
    d = 0.5 * degrees - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    count, block = 0, 0
    while count < len(chi_squares):
        fill_words(tries, block, words)
        made = add_normals(words, normals, 0)
        fill_words(tests, block, words)
        block += len(words) // 4
        for i in range(made):
            x = normals[i]
            v = 1.0 + c * x
            if v > 0.0 and count < len(chi_squares):
                v = v * v * v
                u = uniform(words[i])
                # The first comparison decides nearly always, and spares the logarithms.
                if u < 1.0 - 0.0331 * x * x * x * x or math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
                    chi_squares[count] = 2.0 * d * v
                    count += 1


def student_path(
    normals: Floats, chi_squares: Floats, drift: Floats, root: Floats, degrees: float, limit: float, out: Floats
) -> int:
    """Simple returns of one path; return how many log returns were cut at the limit."""
    k_all = len(drift)
    hits = 0
    for t in range(out.shape[0]):
        scale = math.sqrt((degrees - 2.0) / chi_squares[t])
        for k in range(k_all):
            total = 0.0
            for j in range(k + 1):
                total += root[k, j] * normals[t * k_all + j]
            x = drift[k] + scale * total
            if abs(x) > limit:
                x = limit if x > 0.0 else -limit
                hits += 1
            out[t, k] = math.exp(x) - 1.0
    return hits


def student_paths(
    low: int, high: int, first: int, drift: Floats, root: Floats, degrees: float, limit: float, out: Floats
) -> int:
    """Simple returns of the paths from `first` on, (paths, sessions, K); return how many log returns were cut."""
    wanted = out.shape[1] * out.shape[2]
    words, tried, normals = np.zeros(BATCH, np.int64), np.zeros(2 * BATCH), np.zeros(wanted + 2 * BATCH)
    chi_squares = np.zeros(out.shape[1])
    hits = 0
    for p in range(out.shape[0]):
        tries, tests = stream_of(low, high, SCALES, first + p), stream_of(low, high, TESTS, first + p)
        fill_chi_squares(tries, tests, degrees, words, tried, chi_squares)
        fill_normals(stream_of(low, high, NORMALS, first + p), wanted, words, normals)
        hits += student_path(normals, chi_squares, drift, root, degrees, limit, out[p])
    return hits


# --- regime switching ---


def hamilton_filter(density: Floats, chain: Floats, first: Floats, predicted: Floats, filtered: Floats) -> float:
    """Probabilities of the states before and after each session, (T, S); return the log-likelihood.

    `density` is logarithmic, `chain[i, j]` the chance to go from i to j, `first` the law of the first session's state.
    """
    states = len(first)
    total = 0.0
    for t in range(len(density)):
        highest = density[t, 0]
        for j in range(states):
            highest = max(highest, density[t, j])
            if t == 0:
                predicted[t, j] = first[j]
            else:
                predicted[t, j] = 0.0
                for i in range(states):
                    predicted[t, j] += filtered[t - 1, i] * chain[i, j]
        mass = 0.0
        for j in range(states):
            filtered[t, j] = predicted[t, j] * math.exp(density[t, j] - highest)
            mass += filtered[t, j]
        for j in range(states):
            filtered[t, j] /= mass
        total += math.log(mass) + highest
    return total


def kim_smoother(predicted: Floats, filtered: Floats, chain: Floats, smoothed: Floats, moves: Floats) -> None:
    """Probabilities of the states given all sessions, (T, S), and the expected number of each move, (S, S)."""
    n, states = filtered.shape
    moves[:, :] = 0.0
    for j in range(states):
        smoothed[n - 1, j] = filtered[n - 1, j]
    for t in range(n - 2, -1, -1):
        for i in range(states):
            smoothed[t, i] = 0.0
            for j in range(states):
                if predicted[t + 1, j] > 0.0:
                    both = filtered[t, i] * chain[i, j] * smoothed[t + 1, j] / predicted[t + 1, j]
                    smoothed[t, i] += both
                    moves[i, j] += both


def switching_path(
    states: Stream,
    normals: Floats,
    first: Floats,
    chain: Floats,
    drifts: Floats,
    roots: Floats,
    words: Ints,
    out: Floats,
) -> None:
    """Simple returns of one path; a session's state takes a word."""
    k_all = drifts.shape[1]
    state = 0
    for t in range(out.shape[0]):
        place = t % len(words)
        if place == 0:
            fill_words(states, t // 4, words)
        calm = first[0] if t == 0 else chain[state, 0]
        state = 0 if uniform(words[place]) < calm else 1
        for k in range(k_all):
            total = drifts[state, k]
            for j in range(k + 1):
                total += roots[state, k, j] * normals[t * k_all + j]
            out[t, k] = math.exp(total) - 1.0


def switching_paths(
    low: int, high: int, first_path: int, first: Floats, chain: Floats, drifts: Floats, roots: Floats, out: Floats
) -> None:
    """Simple returns of the paths from `first_path` on, (paths, sessions, K), of two states."""
    wanted = out.shape[1] * out.shape[2]
    words, normals = np.zeros(BATCH, np.int64), np.zeros(wanted + 2 * BATCH)
    for p in range(out.shape[0]):
        fill_normals(stream_of(low, high, NORMALS, first_path + p), wanted, words, normals)
        states = stream_of(low, high, STATES, first_path + p)
        switching_path(states, normals, first, chain, drifts, roots, words, out[p])
