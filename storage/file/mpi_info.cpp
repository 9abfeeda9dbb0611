#include "kernmill/storage/file/mpi_info.hpp"

#include <array>

namespace kernmill::storage {

MpiInfo::MpiInfo(const std::map<std::string, std::string>& hints) {
  MPI_Info_create(&info_);
  for (const auto& [name, value] : hints) MPI_Info_set(info_, name.c_str(), value.c_str());
}

std::map<std::string, std::string> hints_of(MPI_File file) {
  MPI_Info info = MPI_INFO_NULL;
  MPI_File_get_info(file, &info);
  int count = 0;
  MPI_Info_get_nkeys(info, &count);
  std::map<std::string, std::string> hints;
  for (int i = 0; i < count; ++i) {
    std::array<char, MPI_MAX_INFO_KEY + 1> name{};
    std::array<char, MPI_MAX_INFO_VAL + 1> value{};
    int found = 0;
    MPI_Info_get_nthkey(info, i, name.data());
    MPI_Info_get(info, name.data(), MPI_MAX_INFO_VAL, value.data(), &found);
    if (found != 0) hints[name.data()] = value.data();
  }
  MPI_Info_free(&info);
  return hints;
}

std::string mpi_reason(int code) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  return text.data();
}

}  // namespace kernmill::storage
