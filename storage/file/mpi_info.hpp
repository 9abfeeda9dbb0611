#pragma once
#include <map>
#include <string>

#include <mpi.h>

/// Private to storage/.
namespace kernmill::storage {

/// Hints as MPI wants them.
class MpiInfo {
 public:
  explicit MpiInfo(const std::map<std::string, std::string>& hints);
  ~MpiInfo() { MPI_Info_free(&info_); }
  MpiInfo(const MpiInfo&) = delete;
  MpiInfo& operator=(const MpiInfo&) = delete;
  [[nodiscard]] MPI_Info get() const { return info_; }

 private:
  MPI_Info info_ = MPI_INFO_NULL;
};

/// What MPI-IO made of the hints of a file, and what else it goes by.
std::map<std::string, std::string> hints_of(MPI_File file);

/// What MPI says of an error code.
std::string mpi_reason(int code);

}  // namespace kernmill::storage
