#include "kernmill/tasks/support/crash_note.hpp"

#include <cstdio>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/storage/file/durable.hpp"
#include "kernmill/tasks/support/result.hpp"

namespace kernmill::tasks {
namespace {

/// What the handler needs, made before: it may call nothing that allocates.
struct Note {
  std::string error, message, file, temporary;
};
Note note;

void write_all(int fd, const std::string& text) {
  if (write(fd, text.data(), text.size()) < 0) return;  // there is nobody left to tell
}

extern "C" void leave_note(int signal) {
  const int fd = open(note.temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd >= 0) {
    write_all(fd, note.error);
    close(fd);
    rename(note.temporary.c_str(), note.file.c_str());
  }
  write_all(STDERR_FILENO, note.message);
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  sigaction(signal, &usual, nullptr);
  raise(signal);
}

}  // namespace

CrashNote::CrashNote(const std::filesystem::path& output_directory, const TaskError& error) {
  note = {error_text(error.what(), error.where, error.help), fmt::format("error: {}\n", error.what()),
          output_directory / "error.json", storage::temporary_beside(output_directory / "error.json")};
  static std::array<std::byte, std::size_t{64} << 10> stack;  // a crash may have used up the other one
  stack_t own{};
  own.ss_sp = stack.data();
  own.ss_size = stack.size();
  sigaltstack(&own, &stack_before_);
  struct sigaction leave {};
  leave.sa_handler = leave_note;
  leave.sa_flags = SA_ONSTACK;
  for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &leave, &before_[i]);
}

CrashNote::~CrashNote() {
  for (std::size_t i = 0; i < signals.size(); ++i) sigaction(signals[i], &before_[i], nullptr);
  sigaltstack(&stack_before_, nullptr);
}

}  // namespace kernmill::tasks
