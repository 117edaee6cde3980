//! `throughline sql-worker`: the child process. One job in, its rows out.

use std::io::{self, BufWriter, Read as _, Write};
use std::path::Path;

use anyhow::{Context as _, bail};
use duckdb::Connection;
use duckdb::types::Value;

use super::value::json;
use super::{ANSWER_BYTES_MAX, Column, Copy, Job, MEMORY_MIB, Said, THREADS, sandbox};
use crate::quoted::quoted;
use crate::store::restrict_views;

const VIEWS: &str = include_str!("views.sql");
/// Where an export goes: the pipe to the service.
const OUTPUT: &str = "/dev/stdout";

/// The SELECT that the view `name` consists of.
#[must_use]
pub fn view_select(name: &str) -> &'static str {
    let begins = format!("CREATE VIEW {name} AS");
    let view = VIEWS.split(';').find_map(|view| view.split_once(&begins));
    view.map_or("", |(_, select)| select.trim())
}

/// Reads a job from `input`, and writes what comes of it to `output`.
///
/// # Errors
/// When it cannot even be begun; what is wrong with the statement is a part of the output.
pub fn run(mut input: impl io::Read, output: impl Write) -> anyhow::Result<()> {
    sandbox::enter().context("the sandbox")?;
    let mut text = Vec::new();
    input.by_ref().take(16 << 20).read_to_end(&mut text)?;
    let job: Job = serde_json::from_slice(&text).context("the job")?;
    if !sandbox::is_child_of(job.service) {
        bail!("the service has ended");
    }
    sandbox::limit_cpu(job.cpu_s).context("the sandbox")?;
    if let Some(copy) = &job.copy {
        return export(&job, copy);
    }
    let mut output = BufWriter::new(output);
    if let Err(error) = answer(&job, &mut output) {
        say(&mut output, &Said::Refused(format!("{error:#}")))?;
    }
    Ok(output.flush()?)
}

/// Has DuckDB write the rows to the standard output, and says on the standard error why it did not.
fn export(job: &Job, copy: &Copy) -> anyhow::Result<()> {
    let written = open(job).and_then(|connection| {
        for sql in &copy.prepare {
            connection.execute_batch(sql)?;
        }
        let options = copy.format.options();
        let sql = format!("COPY ({}) TO '{OUTPUT}' ({options})", job.sql);
        Ok(connection.execute_batch(&sql)?)
    });
    if let Err(error) = &written {
        writeln!(io::stderr(), "{error:#}")?;
    }
    written
}

fn say(output: &mut impl Write, said: &Said) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *output, said)?;
    Ok(output.write_all(b"\n")?)
}

fn answer(job: &Job, output: &mut impl Write) -> anyhow::Result<()> {
    let connection = open(job).context("the views cannot be made")?;
    check(&connection, &job.sql)?;
    let mut statement = connection.prepare(&job.sql)?;
    let mut rows = statement.query([])?;
    let columns = columns(&connection, &job.sql)?;
    let width = columns.len();
    say(output, &Said::Columns(columns))?;
    let (mut count, mut bytes) = (0, 0);
    while let Some(row) = rows.next()? {
        if count == job.rows_max {
            return say(output, &Said::End { cut: true });
        }
        let values: Result<Vec<_>, _> = (0..width)
            .map(|index| row.get::<_, Value>(index).map(json))
            .collect();
        let line = serde_json::to_vec(&values?)?;
        bytes += line.len() as u64 + 1;
        if bytes > ANSWER_BYTES_MAX {
            return say(output, &Said::End { cut: true });
        }
        output.write_all(&line)?;
        output.write_all(b"\n")?;
        count += 1;
    }
    say(output, &Said::End { cut: false })
}

fn path(path: &Path) -> anyhow::Result<String> {
    let text = path.to_str().context("a path is no UTF-8")?;
    Ok(quoted(text))
}

/// A DuckDB in memory with the views, that reaches nothing else.
fn open(job: &Job) -> anyhow::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    let folders: Result<Vec<_>, _> = job.folders.iter().map(|it| path(it)).collect();
    let output = job.copy.as_ref().map_or(String::new(), |_| quoted(OUTPUT));
    let limited = job.copy.as_ref().and_then(|it| it.applications.as_ref());
    let schema = if limited.is_some() { "base" } else { "raw" };
    connection.execute_batch(&format!(
        "SET memory_limit = '{MEMORY_MIB}MiB'; SET threads = {THREADS};
         SET temp_directory = ''; SET max_temp_directory_size = '0KiB';
         SET autoinstall_known_extensions = false; SET autoload_known_extensions = false;
         SET allow_community_extensions = false; SET allow_unsigned_extensions = false;
         SET allow_persistent_secrets = false; SET enable_object_cache = false;
         SET allowed_directories = [{}]; SET allowed_paths = [{output}];
         SET enable_external_access = false;
         CREATE SCHEMA raw; CREATE SCHEMA base; SET schema = '{schema}';",
        folders?.join(", ")
    ))?;
    for (name, file) in &job.tables {
        let file = path(file)?;
        connection.execute_batch(&format!(
            "CREATE VIEW \"{name}\" AS SELECT * FROM read_parquet({file})"
        ))?;
    }
    make(&connection, &job.views);
    if let Some(applications) = limited {
        connection.execute_batch("SET schema = 'raw';")?;
        restrict_views(&connection, applications, "base")?;
    }
    // What the service itself writes is about its own tables.
    let last = if job.copy.is_some() { "raw" } else { "main" };
    connection.execute_batch(&format!(
        "SET schema = 'main'; {VIEWS} SET schema = '{last}'; SET lock_configuration = true;"
    ))?;
    Ok(connection)
}

/// Makes views that may need each other, in whatever order; not those of what is not here.
fn make(connection: &Connection, views: &[String]) {
    let mut left: Vec<_> = views.iter().collect();
    while !left.is_empty() {
        let before = left.len();
        left.retain(|view| connection.execute_batch(view).is_err());
        if left.len() == before {
            break;
        }
    }
}

/// Refuses what is not exactly one SELECT.
fn check(connection: &Connection, sql: &str) -> anyhow::Result<()> {
    let parse = format!("SELECT json_serialize_sql({})::VARCHAR", quoted(sql));
    let parsed: String = connection.query_row(&parse, [], |row| row.get(0))?;
    let parsed: serde_json::Value = serde_json::from_str(&parsed)?;
    if parsed["error"] == true {
        let message = parsed["error_message"].as_str().unwrap_or_default();
        if parsed["error_type"] == "parser" {
            bail!("{message}");
        }
        bail!("only a SELECT can be run: {message}");
    }
    match parsed["statements"].as_array().map(Vec::len) {
        Some(1) => Ok(()),
        Some(0) => bail!("there is no statement"),
        _ => bail!("one statement at a time"),
    }
}

fn columns(connection: &Connection, sql: &str) -> anyhow::Result<Vec<Column>> {
    let describe = format!("DESCRIBE {sql}");
    let mut statement = connection.prepare(&describe)?;
    let column = |row: &duckdb::Row<'_>| {
        Ok(Column {
            name: row.get(0)?,
            kind: row.get(1)?,
        })
    };
    Ok(statement.query_map([], column)?.collect::<Result<_, _>>()?)
}
