#include "kernmill/os/replace_file.hpp"

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_beside.hpp"

namespace kernmill {

void replace_file(const std::filesystem::path& path, const std::string& content) {
  make_directories(path.parent_path(), 0700);
  FileBeside file(path, 0600);
  file.write(content);
  file.take_place();
}

}  // namespace kernmill
