#include "hdf5_tricks.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "kernmill/storage/file/crc32c.hpp"
#include "kernmill/storage/sealed/footer.hpp"

namespace kernmill::testing {
namespace fs = std::filesystem;
namespace {

hid_t checked(hid_t id) {
  if (id < 0) throw std::runtime_error("HDF5 does not make it");
  return id;
}

hid_t space_of(const Shape& shape) {
  return checked(shape.empty() ? H5Screate(H5S_SCALAR)
                               : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr));
}

void remove_if_there(hid_t file, const char* name) {
  if (H5Lexists(file, name, H5P_DEFAULT) > 0) H5Ldelete(file, name, H5P_DEFAULT);
}

hid_t create(hid_t file, const char* name, hid_t type, const Shape& shape, hid_t list) {
  remove_if_there(file, name);
  const hid_t space = space_of(shape);
  const hid_t made = checked(H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT));
  H5Sclose(space);
  return made;
}

/// Cuts a footer off, as README.md of storage/ describes it.
void cut_footer(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, 20> tail{};
  in.seekg(-20, std::ios::end);
  in.read(tail.data(), tail.size());
  std::uint64_t length = 0;
  std::memcpy(&length, tail.data(), sizeof length);
  fs::resize_file(file, fs::file_size(file) - length - tail.size());
}

std::size_t identity(unsigned, std::size_t, const unsigned*, std::size_t bytes, std::size_t*, void**) {
  return bytes;
}

hid_t traverse(const char*, hid_t, const void*, std::size_t, hid_t, hid_t) {
  return -1;
}

constexpr int user_link = 187;

}  // namespace

void forge(const fs::path& from, const fs::path& to, const std::function<void(hid_t)>& change) {
  fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  fs::permissions(to, fs::perms::owner_write, fs::perm_options::add);
  cut_footer(to);
  const hid_t file = checked(H5Fopen(to.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
  change(file);
  H5Fclose(file);
  storage::append_footer(to, to, {});
}

void make_hdf5(const fs::path& file, const std::function<void(hid_t)>& fill) {
  const hid_t made = checked(H5Fcreate(file.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  fill(made);
  H5Fclose(made);
}

hid_t text_type(std::size_t length) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, length);
  return type;
}

void put_contiguous(hid_t file, const char* name, hid_t type, const Shape& shape) {
  H5Dclose(create(file, name, type, shape, H5P_DEFAULT));
}

void put_chunked(hid_t file, const char* name, hid_t type, const Shape& shape, const Shape& chunk,
                 H5Z_filter_t filter) {
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(list, static_cast<int>(chunk.size()), chunk.data());
  if (filter == H5Z_FILTER_DEFLATE)
    H5Pset_deflate(list, 9);
  else if (filter != 0)
    H5Pset_filter(list, filter, H5Z_FLAG_MANDATORY, 0, nullptr);
  const hid_t made = create(file, name, type, shape, list);
  const hid_t space = H5Dget_space(made);
  hsize_t elements = 1;
  Shape extent = chunk;
  for (std::size_t i = 0; i < extent.size(); ++i) {
    extent[i] = std::min(extent[i], shape[i]);
    elements *= extent[i];
  }
  const Shape begin(chunk.size(), 0);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, begin.data(), nullptr, extent.data(), nullptr);
  const hid_t memory = H5Screate_simple(1, &elements, nullptr);
  const std::string content(elements * H5Tget_size(type), 'A');
  if (elements > 0) checked(H5Dwrite(made, type, memory, space, H5P_DEFAULT, content.data()));
  H5Sclose(memory);
  H5Sclose(space);
  H5Dclose(made);
  H5Pclose(list);
}

void put_external(hid_t file, const char* name, hid_t type, const Shape& shape, const fs::path& content) {
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(list, content.c_str(), 0, H5F_UNLIMITED);
  H5Dclose(create(file, name, type, shape, list));
  H5Pclose(list);
}

void put_virtual(hid_t file, const char* name, hid_t type, const Shape& shape, const fs::path& source) {
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = space_of(shape);
  H5Pset_virtual(list, space, source.c_str(), "content", space);
  H5Dclose(create(file, name, type, shape, list));
  H5Sclose(space);
  H5Pclose(list);
}

void put_external_link(hid_t file, const char* name, const fs::path& target, const char* object) {
  remove_if_there(file, name);
  checked(H5Lcreate_external(target.c_str(), object, file, name, H5P_DEFAULT, H5P_DEFAULT));
}

void put_soft_link(hid_t file, const char* name, const char* target) {
  remove_if_there(file, name);
  checked(H5Lcreate_soft(target, file, name, H5P_DEFAULT, H5P_DEFAULT));
}

void put_user_link(hid_t file, const char* name) {
  remove_if_there(file, name);
  const H5L_class_t kind{H5L_LINK_CLASS_T_VERS,
                         static_cast<H5L_type_t>(user_link),
                         "theirs",
                         nullptr,
                         nullptr,
                         nullptr,
                         traverse,
                         nullptr,
                         nullptr};
  H5Lregister(&kind);
  checked(H5Lcreate_ud(file, name, static_cast<H5L_type_t>(user_link), "x", 2, H5P_DEFAULT, H5P_DEFAULT));
  H5Lunregister(static_cast<H5L_type_t>(user_link));
}

void put_sealed(hid_t file, const char* table, hid_t type, std::span<const std::byte> bytes) {
  const std::uint32_t checksum = storage::crc32c(bytes);
  const std::string checksums = std::string("checksums/") + table;
  const hid_t data = checked(H5Dopen2(file, table, H5P_DEFAULT)),
              sums = checked(H5Dopen2(file, checksums.c_str(), H5P_DEFAULT));
  checked(H5Dwrite(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()));
  checked(H5Dwrite(sums, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, &checksum));
  H5Dclose(sums);
  H5Dclose(data);
}

void put_text(hid_t file, const char* name, const std::string& text) {
  const hid_t type = text_type(std::max<std::size_t>(1, text.size()));
  const hid_t made = create(file, name, type, {}, H5P_DEFAULT);
  H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data());
  H5Dclose(made);
  H5Tclose(type);
}

void put_texts(hid_t file, const char* name, std::size_t count, const std::string& each) {
  const hid_t type = text_type(std::max<std::size_t>(1, each.size()));
  const hid_t made = create(file, name, type, {count}, H5P_DEFAULT);
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += each;
  if (count > 0) H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data());
  H5Dclose(made);
  H5Tclose(type);
}

void put_long_attribute(hid_t file, const char* name, hid_t type, hsize_t count) {
  if (H5Aexists(file, name) > 0) H5Adelete(file, name);
  const hid_t space = H5Screate_simple(1, &count, nullptr);
  const hid_t made = checked(H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
  const std::string content(count * H5Tget_size(type), 'A');
  H5Awrite(made, type, content.data());
  H5Aclose(made);
  H5Sclose(space);
}

void with_foreign_filter(const std::function<void()>& work) {
  const H5Z_class2_t kind{H5Z_CLASS_T_VERS, foreign_filter, 1, 1, "theirs", nullptr, nullptr, identity};
  H5Zregister(&kind);
  work();
  H5Zunregister(foreign_filter);
}

}  // namespace kernmill::testing
