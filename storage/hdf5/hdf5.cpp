#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

#include <fmt/format.h>
#include <sys/stat.h>

#include "kernmill/storage/file/mpi_info.hpp"
#include "kernmill/storage/hdf5/hdf5_parts.hpp"
#include "kernmill/storage/hdf5/hdf5_reach.hpp"

namespace kernmill::storage::hdf5 {
namespace {

constexpr std::uint64_t bytes_per_call = std::uint64_t{1} << 30;  // larger transfers fail in some versions

}  // namespace

std::uint64_t Dataset::row_elements() const {
  return elements_of({shape_.begin() + 1, shape_.end()});
}

std::uint64_t Dataset::rows_per_call() const {
  const std::uint64_t row = row_elements() * size_of(type_);
  return std::max<std::uint64_t>(1, row == 0 ? bytes_per_call : bytes_per_call / row);
}

Context Dataset::context(const char* verb) const {
  return {context_.file, fmt::format("{} '{}'", verb, context_.what)};
}

std::uint64_t Dataset::offset() const {
  if (elements() == 0) return 0;
  const haddr_t offset = H5Dget_offset(handle_.id());
  if (offset == HADDR_UNDEF)
    throw Error(fmt::format("{}: '{}' is not contiguous", context_.file.string(), context_.what));
  return offset;
}

void Dataset::transfer(Direction direction, Rows rows, void* data) const {
  const bool reading = direction == Direction::read;
  const Context context = this->context(reading ? "read" : "write");
  Shape count = shape_;
  count.at(0) = rows.count;
  const Handle memory = simple_space(count);
  const Handle space(H5Dget_space(handle_.id()), H5Sclose, context);
  const std::vector<hsize_t> extent(count.begin(), count.end());
  std::vector<hsize_t> start(shape_.size(), 0);
  start[0] = rows.first;
  if (elements_of(count) == 0) {
    check(H5Sselect_none(space.id()), context);
    check(H5Sselect_none(memory.id()), context);
  } else {
    check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr),
          context);
  }
  const hid_t type = memory_type(type_);
  check(reading ? H5Dread(handle_.id(), type, memory.id(), space.id(), H5P_DEFAULT, data)
                : H5Dwrite(handle_.id(), type, memory.id(), space.id(), H5P_DEFAULT, data),
        context);
}

void Dataset::transfer_all(Direction direction, Rows rows, void* data) const {
  auto* at = static_cast<std::byte*>(data);
  for (std::uint64_t done = 0; done < rows.count;) {
    const Rows part{rows.first + done, std::min(rows_per_call(), rows.count - done)};
    transfer(direction, part, at + done * row_elements() * size_of(type_));
    done += part.count;
  }
}

void Dataset::read(Rows rows, void* out) const {
  transfer_all(Direction::read, rows, out);
}

void Dataset::write(Rows rows, const void* data) const {
  transfer_all(Direction::write, rows, const_cast<void*>(data));
}

namespace {

// HDF5 opens anything that it can make sense of; these answers are clearer than its own.
void require_hdf5(const std::filesystem::path& file, const std::filesystem::path& named) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  const auto refuse = [&](const char* why) { throw Error(fmt::format("{}: {}", named.string(), why)); };
  if (!std::filesystem::exists(status)) refuse("there is no such file");
  if (!std::filesystem::is_regular_file(status)) refuse("is not a regular file");
  std::array<char, 8> start{};
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(fmt::format("{}: cannot read it: {}", named.string(), std::strerror(errno)));
  in.read(start.data(), start.size());
  if (std::string_view(start.data(), start.size()) != "\x89HDF\r\n\x1a\n") refuse("is not an HDF5 file");
}

}  // namespace

namespace {

/// With the stripes of the hints, where the file system has any. What HDF5 makes through MPI-IO it lays out
/// in another way: so that it only finds this.
void make_striped(const std::filesystem::path& file, const std::filesystem::path& named,
                  const std::map<std::string, std::string>& hints) {
  const MpiInfo info(hints);
  MPI_File made = MPI_FILE_NULL;
  const int code = MPI_File_open(MPI_COMM_SELF, file.c_str(), MPI_MODE_RDWR | MPI_MODE_CREATE | MPI_MODE_EXCL,
                                 info.get(), &made);
  if (code != MPI_SUCCESS)
    throw Error(fmt::format("{}: cannot create it through MPI-IO: {}", named.string(), mpi_reason(code)));
  MPI_File_close(&made);
}

/// While it is there nobody else may open what this program makes.
class OwnersAlone {
 public:
  OwnersAlone() : before_(::umask(077)) {}
  ~OwnersAlone() { ::umask(before_); }
  OwnersAlone(const OwnersAlone&) = delete;
  OwnersAlone& operator=(const OwnersAlone&) = delete;

 private:
  mode_t before_;
};

}  // namespace

File File::create(const std::filesystem::path& file, const std::filesystem::path& named,
                  const std::map<std::string, std::string>& hints) {
  const Handle list = access_list(), untimed = untimed_list(H5P_FILE_CREATE);
  const OwnersAlone only;
  if (!hints.empty()) make_striped(file, named, hints);
  const unsigned how = hints.empty() ? H5F_ACC_EXCL : H5F_ACC_TRUNC;
  return {Handle(H5Fcreate(file.c_str(), how, untimed.id(), list.id()), H5Fclose, {named, "create it"}),
          named};
}

File File::open(const std::filesystem::path& file, const std::filesystem::path& named) {
  require_hdf5(file, named);
  const Handle list = access_list();
  return {Handle(H5Fopen(file.c_str(), H5F_ACC_RDONLY, list.id()), H5Fclose, {named, "open it"}), named};
}

File File::open_to_write(const std::filesystem::path& file, const std::filesystem::path& named) {
  require_hdf5(file, named);
  const Handle list = access_list();
  return {Handle(H5Fopen(file.c_str(), H5F_ACC_RDWR, list.id()), H5Fclose, {named, "open it"}), named};
}

void File::create_group(const std::string& name) const {
  const Handle list = untimed_list(H5P_GROUP_CREATE);
  const Context context = this->context("create the group '" + name + "'");
  const Handle group(H5Gcreate2(handle_.id(), name.c_str(), H5P_DEFAULT, list.id(), H5P_DEFAULT), H5Gclose,
                     context);
}

void File::create_groups_above(const std::string& name) const {
  for (auto at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1))
    if (const std::string group = name.substr(0, at); !has(group)) create_group(group);
}

Dataset File::create_dataset(const std::string& name, Type type, const Shape& shape) const {
  const Context context = this->context("create '" + name + "'");
  const Handle list = untimed_list(H5P_DATASET_CREATE);
  check(H5Pset_layout(list.id(), H5D_CONTIGUOUS), context);
  check(H5Pset_alloc_time(list.id(), H5D_ALLOC_TIME_EARLY), context);
  check(H5Pset_fill_time(list.id(), H5D_FILL_TIME_NEVER), context);
  const Handle space = simple_space(shape);
  Handle dataset(H5Dcreate2(handle_.id(), name.c_str(), file_type(type), space.id(), H5P_DEFAULT, list.id(),
                            H5P_DEFAULT),
                 H5Dclose, context);
  return {std::move(dataset), type, shape, {path_, name}};
}

Dataset File::open_dataset(const std::string& name, Type type, std::size_t dimensions) const {
  const Context context = this->context("open '" + name + "'");
  Handle dataset = opened(name, context);
  const Handle stored(H5Dget_type(dataset.id()), H5Tclose, context);
  Shape shape = shape_of(dataset.id(), context);
  if (H5Tequal(stored.id(), file_type(type)) <= 0 || shape.size() != dimensions)
    throw Error(
        fmt::format("{}: '{}' is not of the type and shape that it should have", path_.string(), name));
  require_stored(dataset.id(), context);
  return {std::move(dataset), type, std::move(shape), {path_, name}};
}

Handle File::opened(const std::string& name, const Context& context) const {
  require_reach(handle_.id(), name, Reach::own, context);
  return {H5Dopen2(handle_.id(), name.c_str(), H5P_DEFAULT), H5Dclose, context};
}

bool File::has(const std::string& name) const {
  const Context context = this->context("look for '" + name + "'");
  require_reach(handle_.id(), name, Reach::own, context);
  for (auto at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1))
    if (check(H5Lexists(handle_.id(), name.substr(0, at).c_str(), H5P_DEFAULT), context) == 0) return false;
  return check(H5Lexists(handle_.id(), name.c_str(), H5P_DEFAULT), context) > 0;
}

void File::close() {
  check(H5Fflush(handle_.id(), H5F_SCOPE_GLOBAL), context("flush it"));
  handle_.close(context("close it"));
}

}  // namespace kernmill::storage::hdf5
