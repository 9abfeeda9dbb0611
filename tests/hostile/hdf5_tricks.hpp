#pragma once
#define H5_USE_110_API
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <hdf5.h>

/// What hostile HDF5 files are made of.
namespace kernmill::testing {

/// Copies a file of Kernmill's, lets `change` have the copy, and gives it a right footer again.
void forge(const std::filesystem::path& from, const std::filesystem::path& to,
           const std::function<void(hid_t file)>& change);
/// A new HDF5 file without Kernmill's footer.
void make_hdf5(const std::filesystem::path& file, const std::function<void(hid_t file)>& fill);

using Shape = std::vector<hsize_t>;
hid_t text_type(std::size_t length);
/// Takes the place of what has that name. Nothing is written into it.
void put_contiguous(hid_t file, const char* name, hid_t type, const Shape& shape);
/// One chunk of so many elements is there, and holds 'A's.
void put_chunked(hid_t file, const char* name, hid_t type, const Shape& shape, const Shape& chunk,
                 H5Z_filter_t filter = 0);
void put_external(hid_t file, const char* name, hid_t type, const Shape& shape,
                  const std::filesystem::path& content);
void put_virtual(hid_t file, const char* name, hid_t type, const Shape& shape,
                 const std::filesystem::path& source);
void put_external_link(hid_t file, const char* name, const std::filesystem::path& target, const char* object);
void put_soft_link(hid_t file, const char* name, const char* target);
void put_user_link(hid_t file, const char* name);
/// Numbers into a sealed table of one block that is there, with a right checksum.
void put_sealed(hid_t file, const char* table, hid_t type, std::span<const std::byte> bytes);
void put_text(hid_t file, const char* name, const std::string& text);
void put_texts(hid_t file, const char* name, std::size_t count, const std::string& each);
/// An attribute of the root with many values, where one is expected.
void put_long_attribute(hid_t file, const char* name, hid_t type, hsize_t count);

/// A filter that no installation has: identity, by a number that a plug-in would have.
inline constexpr H5Z_filter_t foreign_filter = 32'100;
void with_foreign_filter(const std::function<void()>& work);

}  // namespace kernmill::testing
