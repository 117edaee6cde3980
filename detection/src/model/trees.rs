//! Gradient-boosted trees for yes and no: small, deterministic, explained.
//!
//! Histograms of at most 64 bins, logistic loss, missing values sent where they fit best,
//! directions kept (a feature that points one way by its meaning may not be learnt to point the
//! other), rows and columns sampled per tree. Written here because the crates at hand bring a
//! thread pool and read the machine's memory size, and this library does neither.

use serde::{Deserialize, Serialize};

use super::grow::{Bounds, Grower, Sums, column};
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
pub(super) struct Node {
    /// Column, or `u32::MAX` for a leaf.
    pub(super) column: u32,
    /// Left when the value is at most this.
    pub(super) split: f32,
    pub(super) missing_left: bool,
    pub(super) left: u32,
    pub(super) right: u32,
    /// What rows here add on average; the leaf's own value in a leaf.
    pub(super) value: f64,
}

pub(super) const LEAF: u32 = u32::MAX;

/// A learnt model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trees {
    base: f64,
    trees: Vec<Vec<Node>>,
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

    /// Whether every walk ends in a leaf: children come after their parent. What was learnt here
    /// is; a file may hold anything.
    pub(super) fn sound(&self) -> bool {
        let node_sound = |(at, node): (usize, &Node), len: usize| {
            let child = |it: u32| (at + 1..len).contains(&(it as usize));
            node.column == LEAF || (child(node.left) && child(node.right))
        };
        let sound = |tree: &Vec<Node>| {
            let mut nodes = tree.iter().enumerate();
            nodes.all(|node| node_sound(node, tree.len()))
        };
        self.base.is_finite() && self.trees.iter().all(sound)
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
