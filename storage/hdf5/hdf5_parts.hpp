#pragma once
#include "kernmill/storage/hdf5/hdf5.hpp"

/// Private to hdf5*.cpp: the lists, types and spaces that calls want.
namespace kernmill::storage::hdf5 {

hid_t memory_type(Type type);
hid_t file_type(Type type);

Handle property_list(hid_t kind);
/// For files that 1.10 can read, whichever version writes.
Handle access_list();
/// For what is created without a time stamp: equal content, equal bytes.
Handle untimed_list(hid_t kind);
Handle string_type(std::size_t length);
Handle simple_space(const Shape& shape);
Handle scalar_space();
/// Throws for extents that no file holds, so that what is computed of a shape never wraps.
Shape shape_of(hid_t dataset, const Context& context);

}  // namespace kernmill::storage::hdf5
