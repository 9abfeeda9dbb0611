#pragma once

namespace kernmill {

/// Puts stdin, stdout and stderr in order; the first thing that a program does.
///
/// One that is closed is opened on /dev/null: else the next file that is opened got its number, and was
/// written into. What stderr cannot take any more (a full disk, a reader that has gone) is lost, and nothing
/// else is: a message must not end what it tells of, neither by an exception nor by SIGPIPE.
void open_standard_streams();

/// From here on what stdout cannot take is lost without harm, too: of a program whose stdout is a log.
void make_output_a_log();

/// Writes what stdout still holds. Throws std::runtime_error (or the std::system_error that it is)
/// when something was lost there since the start.
void flush_standard_output();

/// The exit status of a program that has done its work: `status`, or exit_unavailable, said on stderr, where
/// its output was not written. Ends no program by an exception.
int flushed(int status) noexcept;

}  // namespace kernmill
