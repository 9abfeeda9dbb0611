#include "kernmill/storage/hdf5/hdf5_parallel.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/storage/file/mpi_info.hpp"
#include "kernmill/storage/hdf5/hdf5_parts.hpp"

namespace kernmill::storage::hdf5 {
namespace {

Handle collective_list() {
  Handle list = property_list(H5P_DATASET_XFER);
  check(H5Pset_dxpl_mpio(list.id(), H5FD_MPIO_COLLECTIVE), {{}, "ask for collective transfers"});
  return list;
}

void add_block(hid_t space, H5S_seloper_t how, const std::vector<hsize_t>& start,
               const std::vector<hsize_t>& extent, const Context& context) {
  check(H5Sselect_hyperslab(space, how, start.data(), nullptr, extent.data(), nullptr), context);
}

}  // namespace

ParallelDataset::ParallelDataset(Handle handle, Handle type, Shape shape, Context context)
    : handle_(std::move(handle)),
      type_(std::move(type)),
      shape_(std::move(shape)),
      row_elements_(elements_of({shape_.begin() + 1, shape_.end()})),
      element_bytes_(H5Tget_size(type_.id())),
      context_(std::move(context)) {}

// Elements at a stretch are, in rows and columns, the end of a row, whole rows and the beginning of one.
void ParallelDataset::select(hid_t space, std::uint64_t first, std::uint64_t count) const {
  check(H5Sselect_none(space), context_);
  H5S_seloper_t how = H5S_SELECT_SET;
  while (count > 0) {
    const std::uint64_t row = first / row_elements_, column = first % row_elements_;
    std::vector<hsize_t> start(shape_.size(), 0), extent(shape_.begin(), shape_.end());
    start[0] = row;
    extent[0] = 1;
    std::uint64_t taken = std::min(count, row_elements_ - column);
    if (taken < row_elements_ && shape_.size() > 2)
      throw std::logic_error("a part of a row of more than two dimensions");
    if (taken < row_elements_) {
      start[1] = column;
      extent[1] = taken;
    } else {
      extent[0] = count / row_elements_;
      taken = extent[0] * row_elements_;
    }
    add_block(space, how, start, extent, context_);
    how = H5S_SELECT_OR;
    first += taken;
    count -= taken;
  }
}

template <class Transfer>
void ParallelDataset::transfer(std::uint64_t offset, std::uint64_t bytes, const char* verb,
                               const Transfer& transfer) const {
  const Context context{context_.file, fmt::format("{} '{}' through MPI-IO", verb, context_.what)};
  const std::uint64_t count = bytes / element_bytes_;
  const Handle memory = simple_space({std::max<std::uint64_t>(count, 1)});
  if (count == 0) check(H5Sselect_none(memory.id()), context);
  const Handle space(H5Dget_space(handle_.id()), H5Sclose, context);
  select(space.id(), offset / element_bytes_, count);
  const Handle list = collective_list();
  check(transfer(handle_.id(), type_.id(), memory.id(), space.id(), list.id()), context);
}

void ParallelDataset::read(std::uint64_t offset, std::span<std::byte> out) const {
  std::byte nothing{};
  transfer(offset, out.size(), "read", [&](hid_t set, hid_t type, hid_t memory, hid_t space, hid_t list) {
    return H5Dread(set, type, memory, space, list, out.empty() ? &nothing : out.data());
  });
}

void ParallelDataset::write(std::uint64_t offset, std::span<const std::byte> bytes) const {
  const std::byte nothing{};
  transfer(offset, bytes.size(), "write", [&](hid_t set, hid_t type, hid_t memory, hid_t space, hid_t list) {
    return H5Dwrite(set, type, memory, space, list, bytes.empty() ? &nothing : bytes.data());
  });
}

void ParallelDataset::abandon() noexcept {
  handle_.release();
}

ParallelFile::ParallelFile(MPI_Comm comm, const std::filesystem::path& file,
                           const std::filesystem::path& named, Access access,
                           const std::map<std::string, std::string>& hints)
    : named_(named) {
  const Handle list = access_list();
  const MpiInfo info(hints);
  const Context context{named, "open it through MPI-IO"};
  check(H5Pset_fapl_mpio(list.id(), comm, info.get()), context);
  handle_ = Handle(H5Fopen(file.c_str(), access == Access::read ? H5F_ACC_RDONLY : H5F_ACC_RDWR, list.id()),
                   H5Fclose, context);
}

ParallelDataset ParallelFile::open(const std::string& dataset) const {
  const Context context{named_, fmt::format("open '{}'", dataset)};
  Handle handle(H5Dopen2(handle_.id(), dataset.c_str(), H5P_DEFAULT), H5Dclose, context);
  Handle type(H5Dget_type(handle.id()), H5Tclose, context);
  Shape shape = shape_of(handle.id(), context);
  return {std::move(handle), std::move(type), std::move(shape), {named_, dataset}};
}

MPI_File ParallelFile::mpi_file() const {
  void* file = nullptr;
  check(H5Fget_vfd_handle(handle_.id(), H5P_DEFAULT, &file), {named_, "reach its MPI file"});
  return *static_cast<MPI_File*>(file);
}

void ParallelFile::sync() const {
  const int error = MPI_File_sync(mpi_file());
  if (error != MPI_SUCCESS)
    throw Error(fmt::format("{}: cannot sync it to disk: {}", named_.string(), mpi_reason(error)));
}

std::map<std::string, std::string> ParallelFile::hints() const {
  return hints_of(mpi_file());
}

void ParallelFile::close() {
  if (handle_.id() >= 0) handle_.close({named_, "close it"});
}

void ParallelFile::abandon() noexcept {
  handle_.release();
}

}  // namespace kernmill::storage::hdf5
