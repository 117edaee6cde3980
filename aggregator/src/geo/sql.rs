//! `countries_of(addresses)` in queries of the service itself; those of users run elsewhere, without it.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;

use duckdb::Connection;
use duckdb::arrow::array::{Array, AsArray as _, RecordBatch, StringBuilder};
use duckdb::arrow::datatypes::DataType;
use duckdb::vscalar::{ArrowFunctionSignature, VArrowScalar};

use super::{Country, Geo};

/// The countries that addresses are in, in order, each once; those that nobody knows are left out. Both are texts as
/// `joined` joins them.
struct CountriesOf;

impl VArrowScalar for CountriesOf {
    type State = Option<Arc<Geo>>;

    fn invoke(geo: &Self::State, input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let texts = input.column(0).as_string_opt::<i32>();
        let texts = texts.ok_or("countries_of takes a text")?;
        let mut found = StringBuilder::new();
        let mut joined = String::new();
        for text in texts {
            joined.clear();
            if let (Some(geo), Some(text)) = (geo, text) {
                for country in countries(geo, text.split('\n')) {
                    joined.push('\n');
                    joined.push_str(country.as_str());
                }
            }
            if !joined.is_empty() {
                joined.push('\n');
            }
            found.append_value(&joined);
        }
        Ok(Arc::new(found.finish()))
    }

    fn signatures() -> Vec<ArrowFunctionSignature> {
        vec![ArrowFunctionSignature::exact(
            vec![DataType::Utf8],
            DataType::Utf8,
        )]
    }
}

fn countries<'a>(geo: &Geo, addresses: impl Iterator<Item = &'a str>) -> BTreeSet<Country> {
    let addresses = addresses.filter_map(|it| it.parse().ok());
    addresses.filter_map(|it| geo.country(it)).collect()
}

/// Makes the function known to all connections of the database that `connection` is one of.
///
/// # Errors
/// When DuckDB refuses.
pub fn register(connection: &Connection, geo: Option<&Arc<Geo>>) -> duckdb::Result<()> {
    connection.register_scalar_function_with_state::<CountriesOf>("countries_of", &geo.cloned())
}
