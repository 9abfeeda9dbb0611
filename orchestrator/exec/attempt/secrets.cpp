#include "kernmill/exec/attempt/secrets.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/base/shell_word.hpp"
#include "kernmill/exec/attempt/attempt.hpp"
#include "kernmill/os/file_descriptor.hpp"

namespace kernmill::exec {
namespace {

constexpr std::size_t longest_value = 128 * 1024;  // what Linux takes of NAME=VALUE

[[noreturn]] void refuse(const std::string& variable, const std::string& file, const std::string& why) {
  throw AttemptError(fmt::format("the variable {} cannot come from {}: {}", variable, file, why));
}

/// What was opened is looked at, as the key's file is: this user's, and nobody else may use it.
std::string read_secret(const std::string& variable, const std::string& file) {
  const FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!opened || ::fstat(opened.get(), &status) != 0) refuse(variable, file, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) refuse(variable, file, "it is not a regular file");
  if (status.st_uid != ::geteuid()) refuse(variable, file, "it belongs to another user");
  if ((status.st_mode & 077) != 0)
    refuse(variable, file, fmt::format("others may use it; chmod 600 {}", word_for_shell(file)));
  std::string text(longest_value, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t got = ::read(opened.get(), text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(variable, file, std::strerror(errno));
    if (got == 0) break;
    length += static_cast<std::size_t>(got);
  }
  text.resize(length);
  if (length + variable.size() + 2 > longest_value) refuse(variable, file, "it is longer than 128 KiB");
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.find('\0') != std::string::npos) refuse(variable, file, "it holds a zero byte");
  return text;
}

}  // namespace

Environment passed_to_job(const Environment& environment) {
  const std::string beginning = passed_name("");
  Environment passed;
  for (const auto& [name, value] : environment)
    if (name.starts_with(beginning)) passed.emplace_back(name.substr(beginning.size()), value);
  return passed;
}

HandedOver::HandedOver(Environment& environment) : passed_(passed_to_job(environment)) {
  const std::string from_env = handed_over_name(""), passed = passed_name("");
  const auto first = std::stable_partition(environment.begin(), environment.end(), [&](const auto& variable) {
    return !variable.first.starts_with(from_env) && !variable.first.starts_with(passed);
  });
  values_.assign(std::make_move_iterator(first), std::make_move_iterator(environment.end()));
  environment.erase(first, environment.end());
}

std::string HandedOver::value_of(const std::string& variable, const EnvSource& source) const {
  if (source.from == EnvSource::From::file) return read_secret(variable, source.name);
  const std::string name = handed_over_name(source.name);
  for (const auto& [known, value] : values_)
    if (known == name) return value;
  throw AttemptError(
      fmt::format("the variable {} is to come from {} in the environment of who starts the run, and this job "
                  "was given none: export it, and kernmill resume",
                  variable, source.name));
}

}  // namespace kernmill::exec
