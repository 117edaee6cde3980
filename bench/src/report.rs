//! Where figures go.

use std::path::PathBuf;

use anyhow::Context as _;

/// Writes `target/bench/<name>.json`.
pub(crate) fn write_json(name: &str, value: &serde_json::Value) -> anyhow::Result<()> {
    let folder = demo::repository().join("target/bench");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let file: PathBuf = folder.join(format!("{name}.json"));
    std::fs::write(&file, format!("{value:#}\n")).with_context(|| file.display().to_string())
}

/// The middle of the figures; with an even number the lower one.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get(sorted.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn takes_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0]) - 1.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }
}
