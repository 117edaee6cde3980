//! The measure of the machine: DuckDB takes in the same columns of the same records from Arrow, and
//! nothing else is done.

use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use duckdb::Connection;
use duckdb::arrow::record_batch::RecordBatch;
use throughline::store::as_hot;

/// Rows of a transaction, as the service's are.
const ROWS: usize = 20_000;

/// Stored records as Arrow batches.
pub(crate) fn read(data: &Path, rows: usize) -> anyhow::Result<Vec<RecordBatch>> {
    let connection = Connection::open(data.join("hot.duckdb"))?;
    let sql = format!("{} LIMIT {rows}", as_hot("records"));
    let mut statement = connection.prepare(&sql)?;
    let parts: Vec<RecordBatch> = statement.query_arrow([])?.collect();
    ensure!(!parts.is_empty(), "nothing is stored in {}", data.display());
    let schema = parts.first().map(RecordBatch::schema);
    let schema = schema.ok_or_else(|| anyhow::anyhow!("no schema"))?;
    let whole = duckdb::arrow::compute::concat_batches(&schema, &parts)?;
    let cuts = (0..whole.num_rows() / ROWS).map(|number| whole.slice(number * ROWS, ROWS));
    Ok(cuts.collect())
}

/// Rows per second into a new file in `folder`, checkpoints included.
pub(crate) fn append(folder: &Path, batches: &[RecordBatch], rows: u64) -> anyhow::Result<f64> {
    let file = folder.join("bare.duckdb");
    let connection = Connection::open(&file)?;
    connection
        .execute_batch("SET wal_autocheckpoint = '256MB'; SET preserve_insertion_order = false;")?;
    connection.execute_batch(&create(batches)?)?;
    let began = Instant::now();
    let mut appended = 0;
    for batch in batches.iter().cycle() {
        if appended >= rows {
            break;
        }
        connection.execute_batch("BEGIN TRANSACTION")?;
        let mut appender = connection.appender("records")?;
        appender.append_record_batch(batch.clone())?;
        appender.flush()?;
        drop(appender);
        connection.execute_batch("COMMIT")?;
        appended += batch.num_rows() as u64;
    }
    let rate = appended as f64 / began.elapsed().as_secs_f64();
    drop(connection);
    std::fs::remove_file(&file)?;
    let wal = file.with_extension("duckdb.wal");
    if wal.exists() {
        std::fs::remove_file(wal)?;
    }
    Ok(rate)
}

/// The service's own table.
fn create(batches: &[RecordBatch]) -> anyhow::Result<String> {
    let schema = include_str!("../../../aggregator/src/store/schema.sql");
    let (_, table) = schema
        .split_once("CREATE TABLE hot_records")
        .ok_or_else(|| anyhow::anyhow!("no table hot_records"))?;
    let (columns, _) = table
        .split_once(';')
        .ok_or_else(|| anyhow::anyhow!("no end of hot_records"))?;
    ensure!(batches.iter().all(|batch| batch.num_columns() > 0));
    Ok(format!("CREATE TABLE records{columns}"))
}
