//! A table as Parquet: columns of numbers as DOUBLE, all others as UTF-8; blank cells are null.

use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::table::Table;

/// The bytes of a Parquet file with one row group.
///
/// # Errors
/// What the writer cannot do.
pub fn parquet(table: &Table) -> Result<Vec<u8>> {
    let column = |c: usize| table.rows.iter().map(move |row| row[c].as_str());
    let numeric = |c: usize| column(c).all(|cell| cell.is_empty() || cell.parse::<f64>().is_ok());
    let kinds: Vec<bool> = (0..table.columns.len()).map(numeric).collect();
    let field = |(name, numeric): (&String, &bool)| {
        let builder = match numeric {
            true => Type::primitive_type_builder(name, Physical::DOUBLE),
            false => Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
                .with_converted_type(ConvertedType::UTF8),
        };
        builder.with_repetition(Repetition::OPTIONAL).build().map(Arc::new)
    };
    let fields: Result<Vec<_>> = table.columns.iter().zip(&kinds).map(field).collect();
    let schema = Type::group_type_builder("points").with_fields(fields?).build()?;
    let properties = Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), properties)?;
    let mut group = file.next_row_group()?;
    for (c, numeric) in kinds.iter().enumerate() {
        let Some(mut writer) = group.next_column()? else { break };
        let levels: Vec<i16> = column(c).map(|cell| i16::from(!cell.is_empty())).collect();
        let cells = column(c).filter(|cell| !cell.is_empty());
        if *numeric {
            let values: Vec<f64> = cells.filter_map(|cell| cell.parse().ok()).collect();
            writer.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
        } else {
            let values: Vec<ByteArray> = cells.map(ByteArray::from).collect();
            writer.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
        }
        writer.close()?;
    }
    group.close()?;
    file.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    #[test]
    fn what_is_written_is_read_again() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let table = Table {
            columns: row(["point", "status", "cost"]),
            rows: vec![row(["0", "optimal", "1.5"]), row(["1", "infeasible", ""])],
            timings: Vec::new(),
            seconds: vec![Vec::new(); 2],
        };
        let bytes = bytes::Bytes::from(parquet(&table).expect("writes"));
        let reader = SerializedFileReader::new(bytes).expect("a Parquet file");
        let rows = reader.get_row_iter(None).expect("rows");
        let rows: Vec<String> = rows.map(|r| r.expect("a row").to_string()).collect();
        assert_eq!(
            rows,
            [
                "{point: 0E0, status: \"optimal\", cost: 1.5}",
                "{point: 1.0, status: \"infeasible\", cost: null}"
            ]
        );
    }
}
