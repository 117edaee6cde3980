//! `countries_of(addresses)` in queries of the service itself; those of users run elsewhere, without it.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;

use duckdb::Connection;
use duckdb::arrow::array::{Array, AsArray as _, ListBuilder, RecordBatch, StringBuilder};
use duckdb::arrow::datatypes::{DataType, Field};
use duckdb::vscalar::{ArrowFunctionSignature, VArrowScalar};

use super::Geo;

/// The countries that a list of addresses is in, in order, each once; those that nobody knows are
/// left out.
struct CountriesOf;

impl VArrowScalar for CountriesOf {
    type State = Option<Arc<Geo>>;

    fn invoke(geo: &Self::State, input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let lists = input.column(0).as_list_opt::<i32>();
        let lists = lists.ok_or("countries_of takes a list of texts")?;
        let mut found = ListBuilder::new(StringBuilder::new());
        for list in lists.iter() {
            if let (Some(geo), Some(list)) = (geo, &list) {
                let texts = list.as_string_opt::<i32>().ok_or("addresses are texts")?;
                let addresses = texts.iter().flatten().filter_map(|it| it.parse().ok());
                let countries: BTreeSet<_> = addresses.filter_map(|it| geo.country(it)).collect();
                for country in &countries {
                    found.values().append_value(country.as_str());
                }
            }
            found.append(true);
        }
        Ok(Arc::new(found.finish()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        let texts = || DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
        vec![ArrowFunctionSignature::exact(vec![texts()], texts())]
    }
}

/// Makes the function known to all connections of the database that `connection` is one of.
///
/// # Errors
/// When DuckDB refuses.
pub fn register(connection: &Connection, geo: Option<&Arc<Geo>>) -> duckdb::Result<()> {
    connection.register_scalar_function_with_state::<CountriesOf>("countries_of", &geo.cloned())
}
