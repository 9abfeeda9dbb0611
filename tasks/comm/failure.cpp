#include "kernmill/tasks/comm/failure.hpp"

#include <new>
#include <string_view>

namespace kernmill::tasks {

Failure Failure::of(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const TaskError& e) {
    return {Kind::error, e.what(), e.where, e.help};
  } catch (const SpecError& e) {
    return {Kind::unusable_spec, e.what(), {}, {}};
  } catch (const Stopped&) {
    return {Kind::stopped, "asked to stop", {}, {}};
  } catch (const std::bad_alloc&) {
    return {Kind::error, "out of memory", {}, "ask for more memory, or spread the work over more ranks"};
  } catch (const std::exception& e) {
    return {Kind::error, e.what(), {}, {}};
  }
}

void Failure::raise() const {
  if (kind == Kind::stopped) throw Stopped{};
  if (kind == Kind::unusable_spec) throw SpecError(message);
  throw TaskError(message, where, help);
}

// A file name or a cell of a CSV file may hold any byte but NUL, so NUL separates the parts.
std::string Failure::packed() const {
  const char tag = static_cast<char>('0' + static_cast<int>(kind));
  return tag + message + '\0' + where + '\0' + help;
}

Failure Failure::unpacked(const std::string& text) {
  std::string_view rest = text;
  const auto next = [&rest] {
    const auto part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return std::string(part);
  };
  Failure failure;
  std::string first = next();
  failure.kind = static_cast<Kind>(first.at(0) - '0');
  failure.message = first.substr(1);
  failure.where = next();
  failure.help = next();
  return failure;
}

}  // namespace kernmill::tasks
