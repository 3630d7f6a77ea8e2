#include "adapters/objects_rados/listing.hpp"

#include <array>
#include <cstddef>

namespace reclaim::objects_rados {
namespace {

constexpr std::size_t kNamesAtOnce = 1000;  // an OSD gives no more by default

class Cursor {
 public:
  Cursor(rados_ioctx_t door, rados_object_list_cursor at) : door_(door), at_(at) {}
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor() { rados_object_list_cursor_free(door_, at_); }

  rados_object_list_cursor get() const { return at_; }
  rados_object_list_cursor* place() { return &at_; }

 private:
  rados_ioctx_t door_;
  rados_object_list_cursor at_;
};

}  // namespace

int for_each_name(rados_ioctx_t door, const std::function<void(std::string_view)>& take) {
  const Cursor end(door, rados_object_list_end(door));
  Cursor at(door, rados_object_list_begin(door));
  while (rados_object_list_is_end(door, at.get()) == 0) {
    std::array<rados_object_list_item, kNamesAtOnce> items{};
    const int found = rados_object_list(door, at.get(), end.get(), items.size(), nullptr, 0, items.data(), at.place());
    if (found < 0) return found;
    for (std::size_t i = 0; i < static_cast<std::size_t>(found); ++i) take({items.at(i).oid, items.at(i).oid_length});
    rados_object_list_free(items.size(), items.data());
  }
  return 0;
}

}  // namespace reclaim::objects_rados
