//! Arrow's PyCapsule interface: tables go out as streams, frames come in as such.

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::types::*;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, LargeStringArray, PrimitiveArray,
    RecordBatch, RecordBatchIterator, RecordBatchReader, StringArray, StringViewArray,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use isocost_model::export::{Cell, Kind, Table};
use isocost_model::input::Entry;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::frame::Frame;

const STREAM: &CStr = c"arrow_array_stream";

/// A table as a stream of one batch.
pub fn stream<'py>(py: Python<'py>, table: &Table) -> PyResult<Bound<'py, PyCapsule>> {
    let fields: Vec<Field> =
        table.columns.iter().map(|(name, kind)| Field::new(name, data_type(*kind), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let columns: Vec<ArrayRef> =
        (0..table.columns.len()).map(|index| column(table, index)).collect();
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(table.rows.len()));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)
        .map_err(|e| PyValueError::new_err(e.to_string()))?;
    let reader = RecordBatchIterator::new([Ok(batch)], schema);
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
}

fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8,
        Kind::Whole => DataType::Int64,
        Kind::Number => DataType::Float64,
        Kind::Truth => DataType::Boolean,
    }
}

fn column(table: &Table, index: usize) -> ArrayRef {
    let cells = table.rows.iter().map(|row| &row[index]);
    match table.columns[index].1 {
        Kind::Text => Arc::new(StringArray::from_iter(cells.map(|cell| match cell {
            Cell::Blank => None,
            cell => Some(cell.to_string()),
        }))),
        Kind::Whole => Arc::new(Int64Array::from_iter(cells.map(|cell| match cell {
            Cell::Whole(whole) => i64::try_from(*whole).ok(),
            _ => None,
        }))),
        Kind::Number => Arc::new(Float64Array::from_iter(cells.map(|cell| match cell {
            Cell::Number(number) => Some(*number),
            Cell::Whole(whole) => Some(*whole as f64),
            _ => None,
        }))),
        Kind::Truth => Arc::new(BooleanArray::from_iter(cells.map(|cell| match cell {
            Cell::Truth(truth) => Some(*truth),
            _ => None,
        }))),
    }
}

/// The rows of a stream, which is used up by it.
pub fn read(capsule: &Bound<'_, PyCapsule>) -> Result<Frame, ArrowError> {
    let pointer = capsule
        .pointer_checked(Some(STREAM))
        .map_err(|e| ArrowError::CDataInterface(e.to_string()))?;
    // SAFETY: a capsule of this name holds an initialised ArrowArrayStream, which the interface lets its consumer move out of it;
    // the capsule outlives this call, and its destructor leaves alone what was moved out.
    #[expect(unsafe_code)]
    let reader = unsafe { RecordBatchStreamReader::from_raw(pointer.as_ptr().cast()) }?;
    let columns: Vec<String> =
        reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch?;
        let columns: Vec<Vec<Entry>> =
            batch.columns().iter().map(|array| entries(array)).collect::<Result<_, _>>()?;
        rows.extend(
            (0..batch.num_rows()).map(|row| {
                columns.iter().map(|column| column[row].clone()).collect::<Vec<Entry>>()
            }),
        );
    }
    Ok(Frame { columns, rows })
}

fn entries(array: &dyn Array) -> Result<Vec<Entry>, ArrowError> {
    let texts = |texts: &mut dyn Iterator<Item = Option<&str>>| {
        texts.map(|text| text.map_or(Entry::Blank, |t| Entry::Text(t.to_owned()))).collect()
    };
    let any = array.as_any();
    if let Some(array) = any.downcast_ref::<StringArray>() {
        return Ok(texts(&mut array.iter()));
    }
    if let Some(array) = any.downcast_ref::<LargeStringArray>() {
        return Ok(texts(&mut array.iter()));
    }
    if let Some(array) = any.downcast_ref::<StringViewArray>() {
        return Ok(texts(&mut array.iter()));
    }
    if let Some(array) = any.downcast_ref::<BooleanArray>() {
        let truths = array.iter().map(|truth| truth.map_or(Entry::Blank, Entry::Truth));
        return Ok(truths.collect());
    }
    match array.data_type() {
        DataType::Null => Ok(vec![Entry::Blank; array.len()]),
        DataType::Int8 => numbers::<Int8Type>(array, f64::from),
        DataType::Int16 => numbers::<Int16Type>(array, f64::from),
        DataType::Int32 => numbers::<Int32Type>(array, f64::from),
        DataType::Int64 => numbers::<Int64Type>(array, |n| n as f64),
        DataType::UInt8 => numbers::<UInt8Type>(array, f64::from),
        DataType::UInt16 => numbers::<UInt16Type>(array, f64::from),
        DataType::UInt32 => numbers::<UInt32Type>(array, f64::from),
        DataType::UInt64 => numbers::<UInt64Type>(array, |n| n as f64),
        DataType::Float32 => numbers::<Float32Type>(array, f64::from),
        DataType::Float64 => numbers::<Float64Type>(array, |n| n),
        other => Err(ArrowError::SchemaError(format!(
            "a column of {other} is neither of texts, of numbers nor of true and false; convert it"
        ))),
    }
}

/// Numbers as cells; what is no number in a data frame (NaN) is nothing.
fn numbers<T: ArrowPrimitiveType>(
    array: &dyn Array,
    number: impl Fn(T::Native) -> f64,
) -> Result<Vec<Entry>, ArrowError> {
    let array = array.as_any().downcast_ref::<PrimitiveArray<T>>();
    let array = array.ok_or_else(|| ArrowError::SchemaError("not of its own type".to_owned()))?;
    let entry = |value: Option<T::Native>| match value.map(&number) {
        Some(number) if !number.is_nan() => Entry::Number(number),
        _ => Entry::Blank,
    };
    Ok(array.iter().map(entry).collect())
}
