"""Sums behind curves: running cross-products of influences, and the counts of a k-sample test."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rtwcohort.core.jit import kernel

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@kernel
def cluster_gram(order: Ints, start: Ints, cluster: Ints, change: Floats, n_clusters: int) -> Floats:
    """Return sum over clusters c of x_c x_c' after each time, where each x_c is a running sum of changes.

    An influence on a curve is x_c(t)'phi(t), with phi known and x_c constant between the entries and exits of the
    cluster's rows. The sum of squares over clusters is then phi(t)' G(t) phi(t), and G is kept up to date row by row.

    Parameters
    ----------
    order, start
        Changes in the order of time: those at time k are `order[start[k]:start[k + 1]]`.
    cluster
        Shape (u,): the cluster of each change, 0 to n_clusters - 1.
    change
        Shape (u, m).

    Returns
    -------
    numpy.ndarray
        Shape (k, m, m). Sums are compensated (Neumaier): rows that leave take away what they brought.
    """
    n_times, m = start.size - 1, change.shape[1]
    state = np.zeros((n_clusters, m))
    total, lost = np.zeros((m, m)), np.zeros((m, m))
    gram = np.empty((n_times, m, m))
    for k in range(n_times):
        for i in range(start[k], start[k + 1]):
            row = order[i]
            c = cluster[row]
            for a in range(m):
                for b in range(a, m):
                    new_a, new_b = state[c, a] + change[row, a], state[c, b] + change[row, b]
                    for part in (new_a * new_b, -state[c, a] * state[c, b]):
                        grown = total[a, b] + part
                        if abs(total[a, b]) >= abs(part):
                            lost[a, b] += (total[a, b] - grown) + part
                        else:
                            lost[a, b] += (part - grown) + total[a, b]
                        total[a, b] = grown
            for a in range(m):
                state[c, a] += change[row, a]
        for a in range(m):
            for b in range(a, m):
                gram[k, a, b] = gram[k, b, a] = total[a, b] + lost[a, b]
    return gram


@kernel
def row_gram(entry: Ints, leave: Ints, enter: Floats, final: Floats, n_times: int) -> tuple[Floats, Floats, Floats]:
    """Return what `cluster_gram` sums where every row is its own cluster, added up by time and not yet accumulated.

    Parameters
    ----------
    entry, leave
        Shape (n,): places of entry and exit.
    enter, final
        Shape (n, m): x while at risk, and after the exit.

    Returns
    -------
    tuple
        Sums of x x' of those who come, of those who leave as they were, and of those who leave as they stay; each
        (n_times, m, m).
    """
    m = enter.shape[1]
    come, gone, stay = np.zeros((n_times, m, m)), np.zeros((n_times, m, m)), np.zeros((n_times, m, m))
    for i in range(entry.size):
        for a in range(m):
            for b in range(m):
                before = enter[i, a] * enter[i, b]
                come[entry[i], a, b] += before
                gone[leave[i], a, b] += before
                stay[leave[i], a, b] += final[i, a] * final[i, b]
    return come, gone, stay


@kernel
def sweep_strata(
    exit_key: Ints, exit_row: Ints, entry_key: Ints, entry_row: Ints, group: Ints, event: npt.NDArray[np.bool_],
    weight: Ints, n_times: int, n_groups: int,
) -> tuple[Ints, Ints, Ints]:  # fmt: skip
    """Return the stratum, the numbers at risk and the events by group at every event time of every stratum.

    Parameters
    ----------
    exit_key, entry_key
        stratum * n_times + place of the time, in ascending order, shape (n,). People are at risk after their entry and
        up to and including their exit; place 0 of an entry is before every time.
    exit_row, entry_row
        The row that each belongs to.
    group, event, weight
        By row: group code, whether the exit is an event, how many people it stands for.

    Returns
    -------
    tuple
        stratum (e,), at_risk (e, n_groups), events (e, n_groups).
    """
    n = exit_key.size
    n_rows = 0
    last = -1
    for i in range(n):
        if event[exit_row[i]] and exit_key[i] != last:
            n_rows += 1
            last = exit_key[i]
    stratum = np.empty(n_rows, np.int64)
    at_risk = np.zeros((n_rows, n_groups), np.int64)
    events = np.zeros((n_rows, n_groups), np.int64)
    inside = np.zeros(n_groups, np.int64)
    i, j, out = 0, 0, 0
    while i < n:
        key = exit_key[i]
        while j < n and entry_key[j] < key:
            inside[group[entry_row[j]]] += weight[entry_row[j]]
            j += 1
        first, found = i, False
        while i < n and exit_key[i] == key:
            row = exit_row[i]
            if event[row]:
                if not found:
                    found = True
                    stratum[out] = key // n_times
                    at_risk[out, :] = inside
                events[out, group[row]] += weight[row]
            i += 1
        for r in range(first, i):
            inside[group[exit_row[r]]] -= weight[exit_row[r]]
        out += 1 if found else 0
    return stratum, at_risk, events


@kernel
def rank_sums(at_risk: Ints, events: Ints, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return weighted observed and expected events by group and the hypergeometric covariance of their difference.

    With n at risk, d events, and n_g, d_g those of group g: expected d n_g/n, covariance
    d (n - d)/(n - 1) (n_g/n) ([g = h] - n_h/n), each summed over times with the weight, and its square.
    """
    n_times, n_groups = at_risk.shape
    observed, expected = np.zeros(n_groups), np.zeros(n_groups)
    covariance = np.zeros((n_groups, n_groups))
    for k in range(n_times):
        n, d = 0, 0
        for g in range(n_groups):
            n += at_risk[k, g]
            d += events[k, g]
        spread = weight[k] * weight[k] * d * (n - d) / (n - 1.0) if n > 1 else 0.0
        for g in range(n_groups):
            share = at_risk[k, g] / n
            observed[g] += weight[k] * events[k, g]
            expected[g] += weight[k] * d * share
            for h in range(n_groups):
                covariance[g, h] += spread * share * ((1.0 if g == h else 0.0) - at_risk[k, h] / n)
    return observed, expected, covariance


@kernel
def pooled_survival(stratum: Ints, at_risk: Ints, events: Ints, shift: float) -> tuple[Floats, Floats]:
    """Return the product of 1 - d/(n + shift) over the times of a stratum, before and after each, all groups together.

    Parameters
    ----------
    stratum, at_risk, events
        Shape (e,), by stratum and ascending time.
    shift
        0 for Kaplan-Meier, 1 for Peto and Peto's estimate.
    """
    before, after = np.empty(stratum.size), np.empty(stratum.size)
    survival = 1.0
    for k in range(stratum.size):
        if k == 0 or stratum[k] != stratum[k - 1]:
            survival = 1.0
        before[k] = survival
        survival *= 1.0 - events[k] / (at_risk[k] + shift)
        after[k] = survival
    return before, after
