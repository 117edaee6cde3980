//! Conditions: SQL with its values, and the sessions that it asks for by a name.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use duckdb::Connection;
use duckdb::types::Value;
use throughline_session::wire::SessionId;

use super::literal;
use super::needs::Needs;
use super::sql::Seen;
use crate::quoted::quoted;

/// SQL with the values of its question marks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clause {
    /// The condition.
    pub sql: String,
    /// Its values.
    pub values: Vec<Value>,
    /// Sessions that it asks for by a name: to be found before, by [`Clause::find`].
    pub(super) sets: BTreeMap<String, Select>,
}

/// Finds sessions.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Select {
    /// By this SELECT.
    Whole(String),
    /// By rows of `shapes` for which `condition` holds: only segments with what it `needs` have any, and
    /// those of which something is `seen`.
    OfShapes {
        condition: String,
        needs: Needs,
        seen: Seen,
    },
}

impl Select {
    /// The same wherever it looks.
    fn plain(&self) -> String {
        match self {
            Self::Whole(sql) => sql.clone(),
            Self::OfShapes {
                condition, seen, ..
            } => of_shapes("shapes", &format!("{} AND {condition}", seen.of_records())),
        }
    }
}

fn of_shapes(shapes: &str, condition: &str) -> String {
    format!("SELECT session FROM {shapes} WHERE {condition}")
}

impl Clause {
    /// A condition and its values, which are written into it as far as that can be done.
    pub(crate) fn new(sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Self {
        literal::written(&sql.into(), values)
    }

    /// The id in `column` is one of `sessions`; none where there are none.
    pub(crate) fn among<'a>(
        column: &str,
        sessions: impl IntoIterator<Item = &'a SessionId>,
    ) -> Self {
        let ids = sessions.into_iter().map(|id| Value::Blob(id.0.to_vec()));
        let ids: Vec<_> = ids.collect();
        match ids.len() {
            0 => Self::new("false", []),
            count => Self::new(
                format!("{column} IN ({})", vec!["?"; count].join(", ")),
                ids,
            ),
        }
    }

    /// The same as a join with all that is in `column`: sooner planned, where that is not much.
    pub(crate) fn joined_to(column: &str, sessions: &[SessionId]) -> Self {
        let ids: Vec<_> = sessions.iter().map(ToString::to_string).collect();
        let ids = quoted(&ids.join(","));
        Self::new(
            format!("{column} IN (SELECT unhex(unnest(string_split({ids}, ','))))"),
            [],
        )
    }

    /// The condition by itself, for statements that take no question marks; `None` where a value
    /// cannot be written into it.
    #[must_use]
    pub fn whole(self) -> Option<String> {
        literal::is_whole(&self.sql).then_some(self.sql)
    }

    /// The session is one of those that `select` finds.
    pub(super) fn one_of(select: Select, values: Vec<Value>) -> Self {
        let sql = select.plain();
        if !values.is_empty() {
            return Self {
                sql: format!("session IN ({sql})"),
                values,
                sets: BTreeMap::new(),
            };
        }
        let mut hasher = DefaultHasher::new();
        sql.hash(&mut hasher);
        let name = format!("sessions_{:016x}", hasher.finish());
        Self {
            sql: format!("session IN (FROM {name})"),
            values: Vec::new(),
            sets: BTreeMap::from([(name, select)]),
        }
    }

    /// Runs `sql`, which has this in it. Without values it is planned once; else when it is prepared, and
    /// where it reads files again when it is executed.
    ///
    /// # Errors
    /// When DuckDB refuses.
    pub(crate) fn run(&self, connection: &Connection, sql: &str) -> duckdb::Result<()> {
        if self.values.is_empty() {
            return connection.execute_batch(sql);
        }
        connection.execute(sql, duckdb::params_from_iter(self.values.iter()))?;
        Ok(())
    }

    /// Finds the sessions that it asks for by a name, each set once; `shapes` tells the rows of shapes that
    /// can have what is needed, as far as they are seen, for FROM. Where it is known how many there are, DuckDB joins the few
    /// to the many, and not the other way.
    ///
    /// # Errors
    /// When DuckDB or `shapes` refuses.
    pub(crate) fn find<E: From<duckdb::Error>>(
        &self,
        connection: &Connection,
        shapes: impl Fn(&Needs, Seen) -> Result<String, E>,
    ) -> Result<(), E> {
        for (name, select) in &self.sets {
            let sql = match select {
                Select::Whole(sql) => sql.clone(),
                Select::OfShapes {
                    condition,
                    needs,
                    seen,
                } => of_shapes(&shapes(needs, *seen)?, condition),
            };
            connection.execute_batch(&format!(
                "CREATE TEMP TABLE IF NOT EXISTS {name} AS SELECT DISTINCT session FROM ({sql})"
            ))?;
        }
        Ok(())
    }

    /// The same in one statement.
    pub(super) fn at_once(self) -> Self {
        let mut sql = self.sql;
        for (name, select) in &self.sets {
            sql = sql.replace(&format!("(FROM {name})"), &format!("({})", select.plain()));
        }
        Self {
            sql,
            values: self.values,
            sets: BTreeMap::new(),
        }
    }

    fn joined(clauses: impl IntoIterator<Item = Self>, word: &str, none: &str) -> Self {
        let (mut parts, mut values, mut sets) = (Vec::new(), Vec::new(), BTreeMap::new());
        for clause in clauses {
            parts.push(format!("({})", clause.sql));
            values.extend(clause.values);
            sets.extend(clause.sets);
        }
        let sql = if parts.is_empty() {
            none.into()
        } else {
            parts.join(word)
        };
        Self { sql, values, sets }
    }

    /// All of them hold.
    pub(crate) fn all(clauses: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(clauses, " AND ", "true")
    }

    /// One of them holds.
    pub(crate) fn any(clauses: impl IntoIterator<Item = Self>) -> Self {
        Self::joined(clauses, " OR ", "false")
    }

    /// Not, where null is no match.
    pub(super) fn negated(self, negated: bool) -> Self {
        let sql = if negated {
            format!("NOT coalesce(({}), false)", self.sql)
        } else {
            self.sql
        };
        Self { sql, ..self }
    }
}
