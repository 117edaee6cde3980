//! Growing one tree: histograms, splits, directions.

use super::trees::{LEAF, Node, Options};
use crate::num;

pub(super) struct Column {
    /// Upper bounds of the bins.
    cuts: Vec<f32>,
    /// Bin of each row; `MISSING` where it has no value.
    bins: Vec<u8>,
}

const BINS: usize = 64;
const MISSING: u8 = 255;

pub(super) fn column(values: impl Iterator<Item = f32> + Clone) -> Column {
    let mut sorted: Vec<f32> = values.clone().filter(|value| !value.is_nan()).collect();
    sorted.sort_by(f32::total_cmp);
    sorted.dedup();
    let step = (sorted.len() as f64 / BINS as f64).max(1.0);
    let last = sorted.len().saturating_sub(1);
    let mut cuts = Vec::new();
    for bin in 1..BINS {
        let at = num::index(bin as f64 * step, last);
        let below = at.checked_sub(1).and_then(|at| sorted.get(at));
        if let (Some(below), Some(above)) = (below, sorted.get(at)) {
            cuts.push(f32::midpoint(*below, *above));
        }
    }
    cuts.dedup();
    let bins = values
        .map(|value| {
            if value.is_nan() {
                MISSING
            } else {
                let bin = cuts.partition_point(|cut| *cut < value);
                u8::try_from(bin).unwrap_or(MISSING - 1)
            }
        })
        .collect();
    Column { cuts, bins }
}

#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) gradient: f64,
    pub(super) weight: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.weight += other.weight;
    }

    fn less(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            weight: self.weight - other.weight,
        }
    }

    fn value(self, ridge: f64) -> f64 {
        -self.gradient / (self.weight + ridge)
    }

    fn gain(self, ridge: f64) -> f64 {
        self.gradient * self.gradient / (self.weight + ridge)
    }
}

#[derive(Clone, Copy)]
struct Split {
    column: usize,
    bin: usize,
    missing_left: bool,
    gain: f64,
    left: Sums,
    right: Sums,
}

pub(super) struct Grower<'a> {
    pub(super) columns: &'a [Column],
    pub(super) directions: &'a [i8],
    pub(super) options: &'a Options,
    pub(super) sums: Vec<Sums>,
    pub(super) used: Vec<usize>,
    pub(super) nodes: Vec<Node>,
}

/// Bounds that directions put on the values below a node.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Grower<'_> {
    fn total(&self, rows: &[usize]) -> Sums {
        let mut total = Sums::default();
        for sums in rows.iter().filter_map(|row| self.sums.get(*row)) {
            total.add(*sums);
        }
        total
    }

    fn best(&self, rows: &[usize], total: Sums, bounds: Bounds) -> Option<Split> {
        let mut best: Option<Split> = None;
        for index in &self.used {
            let Some(column) = self.columns.get(*index) else {
                continue;
            };
            let mut bins = [Sums::default(); BINS];
            let mut missing = Sums::default();
            for row in rows {
                let (Some(bin), Some(sums)) = (column.bins.get(*row), self.sums.get(*row)) else {
                    continue;
                };
                match bins.get_mut(usize::from(*bin)) {
                    Some(bin) => bin.add(*sums),
                    None => missing.add(*sums),
                }
            }
            for missing_left in [false, true] {
                if missing_left && missing.weight == 0.0 {
                    continue;
                }
                let mut left = if missing_left {
                    missing
                } else {
                    Sums::default()
                };
                for (bin, sums) in bins.iter().enumerate().take(column.cuts.len()) {
                    left.add(*sums);
                    let right = total.less(left);
                    let split = Split {
                        column: *index,
                        bin,
                        missing_left,
                        gain: 0.0,
                        left,
                        right,
                    };
                    let gain = self.gain(&split, total, bounds);
                    if gain > best.map_or(1e-6, |best| best.gain) {
                        best = Some(Split { gain, ..split });
                    }
                }
            }
        }
        best
    }

    /// What a split gains; nothing where it is too small or goes against a direction.
    fn gain(&self, split: &Split, total: Sums, bounds: Bounds) -> f64 {
        let options = self.options;
        let (left, right) = (split.left, split.right);
        if left.weight < options.leaf_min || right.weight < options.leaf_min {
            return 0.0;
        }
        let direction = self.directions.get(split.column).copied().unwrap_or(0);
        let values =
            [left, right].map(|side| side.value(options.ridge).clamp(bounds.low, bounds.high));
        let [low, high] = values;
        if direction > 0 && low > high || direction < 0 && low < high {
            return 0.0;
        }
        left.gain(options.ridge) + right.gain(options.ridge) - total.gain(options.ridge)
    }

    pub(super) fn grow(&mut self, rows: &[usize], depth: usize, bounds: Bounds) -> u32 {
        let total = self.total(rows);
        let value = total
            .value(self.options.ridge)
            .clamp(bounds.low, bounds.high);
        let at = u32::try_from(self.nodes.len()).unwrap_or(0);
        let leaf = Node {
            column: LEAF,
            split: 0.0,
            missing_left: false,
            left: 0,
            right: 0,
            value,
        };
        self.nodes.push(leaf);
        let split = (depth > 0)
            .then(|| self.best(rows, total, bounds))
            .flatten();
        let Some((split, column)) = split.and_then(|it| Some((it, self.columns.get(it.column)?)))
        else {
            return at;
        };
        let goes_left = |row: &usize| match column.bins.get(*row) {
            Some(&MISSING) | None => split.missing_left,
            Some(bin) => usize::from(*bin) <= split.bin,
        };
        let cut = column.cuts.get(split.bin).copied().unwrap_or(f32::MAX);
        let (left, right): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| goes_left(row));
        let direction = self.directions.get(split.column).copied().unwrap_or(0);
        let [low, high] = [split.left, split.right].map(|side| {
            side.value(self.options.ridge)
                .clamp(bounds.low, bounds.high)
        });
        let middle = f64::midpoint(low, high);
        let (below, above) = (
            Bounds {
                high: middle,
                ..bounds
            },
            Bounds {
                low: middle,
                ..bounds
            },
        );
        let (for_left, for_right) = match direction {
            1.. => (below, above),
            0 => (bounds, bounds),
            _ => (above, below),
        };
        let left = self.grow(&left, depth - 1, for_left);
        let right = self.grow(&right, depth - 1, for_right);
        if let Some(node) = self.nodes.get_mut(at as usize) {
            *node = Node {
                column: u32::try_from(split.column).unwrap_or(LEAF),
                split: cut,
                missing_left: split.missing_left,
                left,
                right,
                value,
            };
        }
        at
    }
}
