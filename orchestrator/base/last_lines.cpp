#include "kernmill/base/last_lines.hpp"

#include <algorithm>
#include <fstream>

namespace kernmill {

std::vector<std::string> last_lines(const std::filesystem::path& file, std::size_t count) {
  constexpr std::streamoff most = 64 * 1024;
  std::ifstream text(file, std::ios::ate);
  const std::streamoff size = text.tellg();
  text.seekg(std::max<std::streamoff>(0, size - most));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);)
    if (!line.empty()) lines.push_back(line);
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  return lines;
}

}  // namespace kernmill
