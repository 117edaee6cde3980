//! Gradient-boosted trees for yes and no: small, deterministic, explained.
//!
//! Histograms of at most 64 bins, logistic loss, missing values sent where they fit best,
//! directions kept (a feature that points one way by its meaning may not be learnt to point the
//! other), rows and columns sampled per tree. Written here because the crates at hand bring a
//! thread pool and read the machine's memory size, and this library does neither.

use serde::{Deserialize, Serialize};

use crate::hash;
use crate::num::{self, sigmoid};

/// How to learn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Options {
    /// Trees.
    pub trees: usize,
    /// Splits from root to leaf at most.
    pub depth: usize,
    /// How much of each tree counts.
    pub rate: f64,
    /// Weight (sum of second derivatives) in a leaf at least.
    pub leaf_min: f64,
    /// Pulls leaves towards zero.
    pub ridge: f64,
    /// Share of rows per tree.
    pub rows: f64,
    /// Share of columns per tree.
    pub columns: f64,
    /// Makes the sampling.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            trees: 300,
            depth: 4,
            rate: 0.05,
            leaf_min: 1.0,
            ridge: 2.0,
            rows: 0.7,
            columns: 0.4,
            seed: 1,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Node {
    /// Column, or `u32::MAX` for a leaf.
    column: u32,
    /// Left when the value is at most this.
    split: f32,
    missing_left: bool,
    left: u32,
    right: u32,
    /// What rows here add on average; the leaf's own value in a leaf.
    value: f64,
}

const LEAF: u32 = u32::MAX;

/// A learnt model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trees {
    base: f64,
    trees: Vec<Vec<Node>>,
}

struct Column {
    /// Upper bounds of the bins.
    cuts: Vec<f32>,
    /// Bin of each row; `MISSING` where it has no value.
    bins: Vec<u8>,
}

const BINS: usize = 64;
const MISSING: u8 = 255;

fn column(values: impl Iterator<Item = f32> + Clone) -> Column {
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
struct Sums {
    gradient: f64,
    weight: f64,
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

struct Grower<'a> {
    columns: &'a [Column],
    directions: &'a [i8],
    options: &'a Options,
    sums: Vec<Sums>,
    used: Vec<usize>,
    nodes: Vec<Node>,
}

/// Bounds that directions put on the values below a node.
#[derive(Clone, Copy)]
struct Bounds {
    low: f64,
    high: f64,
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

    fn grow(&mut self, rows: &[usize], depth: usize, bounds: Bounds) -> u32 {
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

/// A share of `0..count`, chosen by hash.
fn sample(count: usize, share: f64, seed: u64) -> Vec<usize> {
    let limit = num::count(share * f64::from(u32::MAX));
    (0..count)
        .filter(|item| num::low32(hash::pair(seed, *item as u64)) <= limit)
        .collect()
}

impl Trees {
    /// Learns from rows of equal width and their labels. `directions` holds, per column, 1 where
    /// higher must not mean less likely, -1 for the reverse, 0 for either. `weights` are per row.
    #[must_use]
    pub fn train(
        rows: &[Vec<f32>],
        labels: &[bool],
        weights: &[f64],
        directions: &[i8],
        options: &Options,
    ) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let columns: Vec<_> = (0..width)
            .map(|at| {
                column(
                    rows.iter()
                        .map(move |row| row.get(at).copied().unwrap_or(f32::NAN)),
                )
            })
            .collect();
        let weight = |row: usize| weights.get(row).copied().unwrap_or(1.0);
        let (mut yes, mut all) = (0.5, 1.0);
        for (row, label) in labels.iter().enumerate() {
            all += weight(row);
            yes += if *label { weight(row) } else { 0.0 };
        }
        let base = (yes / (all - yes)).ln();
        let mut scores = vec![base; rows.len()];
        let mut trees = Vec::new();
        for round in 0..options.trees {
            let seed = hash::pair(options.seed, round as u64);
            let pairs = scores.iter().zip(labels).enumerate();
            let sums = pairs.map(|(row, (score, label))| {
                let chance = sigmoid(*score);
                Sums {
                    gradient: (chance - f64::from(u8::from(*label))) * weight(row),
                    weight: chance * (1.0 - chance) * weight(row),
                }
            });
            let mut grower = Grower {
                columns: &columns,
                directions,
                options,
                sums: sums.collect(),
                used: sample(width, options.columns, seed),
                nodes: Vec::new(),
            };
            let chosen = sample(rows.len(), options.rows, seed ^ 1);
            let bounds = Bounds {
                low: f64::NEG_INFINITY,
                high: f64::INFINITY,
            };
            grower.grow(&chosen, options.depth, bounds);
            for node in &mut grower.nodes {
                node.value *= options.rate;
            }
            let tree = grower.nodes;
            for (score, row) in scores.iter_mut().zip(rows) {
                *score += leaf(&tree, row).map_or(0.0, |node| node.value);
            }
            trees.push(tree);
        }
        Self { base, trees }
    }

    /// The log-odds of a row.
    #[must_use]
    pub fn score(&self, row: &[f32]) -> f64 {
        let values = self.trees.iter().filter_map(|tree| leaf(tree, row));
        self.base + values.map(|node| node.value).sum::<f64>()
    }

    /// What each column adds to the log-odds: at every split the change from the node's mean to
    /// its child's, summed over the trees. The rest, up to the score, is the base.
    #[must_use]
    pub fn contributions(&self, row: &[f32]) -> Vec<f64> {
        let mut added = vec![0.0; row.len()];
        for tree in &self.trees {
            let mut at = tree.first();
            while let Some(node) = at.filter(|node| node.column != LEAF) {
                let next = child(tree, node, row);
                let column = added.get_mut(node.column as usize);
                if let (Some(next), Some(column)) = (next, column) {
                    *column += next.value - node.value;
                }
                at = next;
            }
        }
        added
    }
}

fn child<'a>(tree: &'a [Node], node: &Node, row: &[f32]) -> Option<&'a Node> {
    let value = row.get(node.column as usize).copied().unwrap_or(f32::NAN);
    let left = if value.is_nan() {
        node.missing_left
    } else {
        value <= node.split
    };
    tree.get(if left { node.left } else { node.right } as usize)
}

fn leaf<'a>(tree: &'a [Node], row: &[f32]) -> Option<&'a Node> {
    let mut at = tree.first()?;
    while at.column != LEAF {
        at = child(tree, at, row)?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> (Vec<Vec<f32>>, Vec<bool>) {
        let rows: Vec<Vec<f32>> = (0..600_u64)
            .map(|row| {
                let part = |shift: u32| {
                    let share = num::low32(hash::pair(row, u64::from(shift))) >> 8;
                    num::single(f64::from(share) / f64::from(1 << 24))
                };
                let gap = if row % 7 == 0 { f32::NAN } else { part(1) };
                vec![part(0), gap, part(2)]
            })
            .collect();
        let labels = rows
            .iter()
            .map(|row| (row[0] > 0.5) != (row[2] > 0.5))
            .collect();
        (rows, labels)
    }

    #[test]
    fn learns_what_no_single_column_shows() {
        let (rows, labels) = data();
        let model = Trees::train(
            &rows,
            &labels,
            &[],
            &[],
            &Options {
                columns: 1.0,
                ..Options::default()
            },
        );
        let right = rows
            .iter()
            .zip(&labels)
            .filter(|(row, label)| (model.score(row) > 0.0) == **label)
            .count();
        assert!(right > 570, "{right}");
    }

    #[test]
    fn contributions_add_up() {
        let (rows, labels) = data();
        let model = Trees::train(&rows, &labels, &[], &[], &Options::default());
        let roots: f64 = model.trees.iter().map(|tree| tree[0].value).sum();
        for row in rows.iter().take(20) {
            let sum: f64 = model.contributions(row).iter().sum();
            assert!((model.base + roots + sum - model.score(row)).abs() < 1e-9);
        }
    }

    #[test]
    fn directions_are_kept() {
        let (rows, _) = data();
        let labels: Vec<_> = rows.iter().map(|row| row[0] < 0.3).collect();
        let options = Options {
            columns: 1.0,
            ..Options::default()
        };
        let model = Trees::train(&rows, &labels, &[], &[1, 0, 0], &options);
        let score = |value: f32| model.score(&[value, 0.5, 0.5]);
        assert!(
            (0..20_u8)
                .all(|at| score(f32::from(at) / 20.0) <= score(f32::from(at + 1) / 20.0) + 1e-9)
        );
    }
}
