//! `countries_of(addresses)` and `countries_text(addresses_text)` in queries of the service itself; those of
//! users run elsewhere, without them.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;

use duckdb::Connection;
use duckdb::arrow::array::{Array, AsArray as _, ListBuilder, RecordBatch, StringBuilder};
use duckdb::arrow::datatypes::{DataType, Field};
use duckdb::vscalar::{ArrowFunctionSignature, VArrowScalar};

use super::{Country, Geo};

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
                for country in countries(geo, texts.iter().flatten()) {
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

fn countries<'a>(geo: &Geo, addresses: impl Iterator<Item = &'a str>) -> BTreeSet<Country> {
    let addresses = addresses.filter_map(|it| it.parse().ok());
    addresses.filter_map(|it| geo.country(it)).collect()
}

/// The same of a list as a text with a line feed before and behind each, and as such a text: not a list for each of
/// all sessions.
struct CountriesText;

impl VArrowScalar for CountriesText {
    type State = Option<Arc<Geo>>;

    fn invoke(geo: &Self::State, input: RecordBatch) -> Result<Arc<dyn Array>, Box<dyn Error>> {
        let texts = input.column(0).as_string_opt::<i32>();
        let texts = texts.ok_or("countries_text takes a text")?;
        let mut found = StringBuilder::new();
        for text in texts {
            if let (Some(geo), Some(text)) = (geo, text) {
                for country in countries(geo, text.split('\n')) {
                    writeln!(found)?;
                    write!(found, "{}", country.as_str())?;
                }
            }
            found.append_value("\n");
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

/// Makes the functions known to all connections of the database that `connection` is one of.
///
/// # Errors
/// When DuckDB refuses.
pub fn register(connection: &Connection, geo: Option<&Arc<Geo>>) -> duckdb::Result<()> {
    let geo = geo.cloned();
    connection.register_scalar_function_with_state::<CountriesOf>("countries_of", &geo)?;
    connection.register_scalar_function_with_state::<CountriesText>("countries_text", &geo)
}
