#pragma once
#include <cstdio>
#include <string>
#include <string_view>

namespace kernmill {

/// Which colour sequences may pass to a terminal.
enum class Colours { none, ours, any };

/// Takes out of a text, given piece by piece, what a terminal would take for an order: U+FFFD stands in place
/// of control characters, of marks that turn the direction of writing, and of bytes that are no UTF-8. Tabs
/// and line ends stay; a carriage return ends the line.
class TerminalFilter {
 public:
  /// What may be shown so far; the beginning of a character or of a colour waits for the next piece.
  std::string operator()(std::string_view piece);
  Colours colours = Colours::none;

 private:
  std::string held_;
};

/// From now on all that the program writes to stdout and stderr passes such a filter, on a terminal or not:
/// data of a run, a name of a file or a message of a library cannot steer the terminal, whoever prints it.
void filter_standard_streams();
/// Lets the colours of a stream (1 or 2) through.
void let_colours_through(int fd, Colours which);
/// stdout is given as it is from now on, unless it is a terminal: what other programs read, and logs.
void leave_output_alone();
/// Writes orders of ours to a stream, past its filter.
void steer_terminal(std::FILE* stream, std::string_view orders);

}  // namespace kernmill
