#pragma once
#define H5_USE_110_API
#include <array>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <hdf5.h>
#include <mpi.h>

#include "kernmill/storage/element.hpp"
#include "kernmill/storage/error.hpp"

/// The only place that calls HDF5. Private to storage/. Every handle closes itself, every negative return
/// becomes an Error that names file, object and HDF5's own reason; HDF5 itself prints nothing.
namespace kernmill::storage::hdf5 {

/// What "FILE: cannot WHAT: reason" needs.
struct Context {
  std::filesystem::path file;
  std::string what;
};

/// Throws Error when `status` (an hid_t, herr_t or htri_t) is negative.
std::int64_t check(std::int64_t status, const Context& context);

class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close closer, const Context& context);
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  [[nodiscard]] hid_t id() const { return id_; }
  void reset() noexcept;
  /// Gives it up, open.
  void release() noexcept { id_ = H5I_INVALID_HID; }
  /// As reset, but a failure is an Error: a file's last writes happen here.
  void close(const Context& context);

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

using Shape = std::vector<std::uint64_t>;
/// Throws Error where 64 bits do not hold it.
std::uint64_t elements_of(const Shape& shape);

/// The types that are stored.
enum class Type { f64, f32, f16, bf16, u64, u32, u8, i32 };
std::uint64_t size_of(Type type);
Type type_of(Element element);
/// Class and size, as of a RawValue: "float 8".
std::string described(Type type);

/// Rows [first, first + count) of a dataset's first dimension.
struct Rows {
  std::uint64_t first = 0, count = 0;
};

class File;

/// What a dataset holds, byte for byte as the file has it.
struct RawValue {
  std::string type;  ///< class and size: "text 12", "integer 8", "float 8"
  Shape shape;
  std::string bytes;
};

/// A contiguous dataset, all of it in its file. Transfers move at most 1 GiB a call.
class Dataset {
 public:
  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] std::uint64_t elements() const { return elements_of(shape_); }
  /// Where the data begins in the file; 0 of a dataset that holds nothing.
  [[nodiscard]] std::uint64_t offset() const;
  /// Independent. `out` holds rows.count rows.
  void read(Rows rows, void* out) const;
  /// Independent.
  void write(Rows rows, const void* data) const;

 private:
  friend class File;
  Dataset(Handle handle, Type type, Shape shape, Context context)
      : handle_(std::move(handle)), type_(type), shape_(std::move(shape)), context_(std::move(context)) {}
  enum class Direction { read, write };
  void transfer(Direction direction, Rows rows, void* data) const;
  void transfer_all(Direction direction, Rows rows, void* data) const;
  [[nodiscard]] std::uint64_t row_elements() const;
  [[nodiscard]] std::uint64_t rows_per_call() const;
  [[nodiscard]] Context context(const char* verb) const;

  Handle handle_;
  Type type_;
  Shape shape_;
  Context context_;
};

class File {
 public:
  /// A new file of one rank, which must not exist. `named` is what errors call the file.
  static File create(const std::filesystem::path& file, const std::filesystem::path& named);
  /// One rank's; read only. Throws when it is not there, no HDF5 file, or cut off.
  static File open(const std::filesystem::path& file, const std::filesystem::path& named);
  /// The same, to change values that are there.
  static File open_to_write(const std::filesystem::path& file, const std::filesystem::path& named);
  /// A file that is nowhere but in memory, and one from the bytes of another (see `image`). The bytes have to
  /// be trusted: HDF5 can crash on damaged ones.
  static File create_in_memory(const std::filesystem::path& named);
  static File open_image(const std::string& image, const std::filesystem::path& named);
  /// The bytes of the file. Of one that is to be written.
  [[nodiscard]] std::string image() const;

  void create_group(const std::string& name) const;
  /// Those in which `name` lies, as far as they are not there.
  void create_groups_above(const std::string& name) const;
  /// Allocated at once and not filled: every element is written before anybody reads it.
  Dataset create_dataset(const std::string& name, Type type, const Shape& shape) const;
  /// Throws when its type or number of dimensions is another, or when the file does not hold all of it.
  [[nodiscard]] Dataset open_dataset(const std::string& name, Type type, std::size_t dimensions) const;
  [[nodiscard]] bool has(const std::string& name) const;
  /// What is in a group, in the order of the names.
  [[nodiscard]] std::vector<std::string> names_in(const std::string& group) const;
  [[nodiscard]] bool is_group(const std::string& name) const;
  [[nodiscard]] RawValue read_raw(const std::string& name) const;

  /// A text of any length, and lists of texts, as fixed-length UTF-8 strings.
  void write_text(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::string read_text(const std::string& name) const;
  void write_texts(const std::string& name, const std::vector<std::string>& texts) const;
  [[nodiscard]] std::vector<std::string> read_texts(const std::string& name) const;
  template <class T>
  void write_all(const std::string& name, Type type, std::span<const T> values) const {
    create_dataset(name, type, {values.size()}).write({0, values.size()}, values.data());
  }
  template <class T>
  [[nodiscard]] std::vector<T> read_all(const std::string& name, Type type) const {
    const Dataset dataset = open_dataset(name, type, 1);
    std::vector<T> values(dataset.elements());
    dataset.read({0, values.size()}, values.data());
    return values;
  }
  /// Attributes of the root: short texts and numbers.
  void write_attribute(const std::string& name, const std::string& text) const;
  void write_attribute(const std::string& name, std::uint64_t value) const;
  [[nodiscard]] std::string read_text_attribute(const std::string& name) const;
  [[nodiscard]] std::uint64_t read_number_attribute(const std::string& name) const;
  [[nodiscard]] bool has_attribute(const std::string& name) const;
  /// Of an attribute that is there, by a value as long.
  void replace_attribute(const std::string& name, const std::string& text) const;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Flushes and closes; an Error when the last bytes could not be written.
  void close();

 private:
  File(Handle handle, std::filesystem::path path) : handle_(std::move(handle)), path_(std::move(path)) {}
  [[nodiscard]] Context context(const std::string& what) const { return {path_, what}; }
  /// A dataset to which nothing but links of its own leads.
  [[nodiscard]] Handle opened(const std::string& name, const Context& context) const;
  void write_strings(const std::string& name, const std::vector<std::string>& texts, hid_t space) const;
  [[nodiscard]] std::vector<std::string> read_strings(const std::string& name, bool scalar) const;

  Handle handle_;
  std::filesystem::path path_;
};

}  // namespace kernmill::storage::hdf5
