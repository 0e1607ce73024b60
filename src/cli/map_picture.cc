#include "cli/map_picture.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <span>

namespace berth::cli {

namespace {

using engine::ContainerFacts;
using engine::Part;
using engine::PartKind;

constexpr size_t kMostContainers = 16;
constexpr size_t kMostExtents = 12;  // of one container
constexpr size_t kMostNames = 4;     // of one part
constexpr size_t kLongestRun = 4;    // of banks that nothing points to
constexpr size_t kMostLanes = 16;    // a line beyond is left out; the box says where its IDs are
constexpr size_t kAnything = std::numeric_limits<size_t>::max();

std::string name_line(const engine::Name& name) {
  if (name.user.empty()) return shown_name(name.group) + " (group)";
  if (name.group.empty() || name.group == name.user) return shown_name(name.user);
  return fmt::format("{} (group {})", shown_name(name.user), shown_name(name.group));
}

void add_names(const Part& part, bool all, std::vector<PartLine>& lines) {
  const bool inside = part.kind != PartKind::accounts;
  const size_t shown = all || part.names.size() <= kMostNames ? part.names.size() : kMostNames - 1;
  for (size_t i = 0; i < shown; ++i) {
    const engine::Name& name = part.names[i];
    if (inside) {
      lines.push_back({"", fmt::format("! {} has {}", name_line(name), name.id), true});
    } else {
      lines.push_back({fmt::format("{}", name.id), name_line(name)});
    }
  }
  if (shown < part.names.size()) {
    lines.push_back(
        {"", fmt::format("… {} more, to {}", part.names.size() - shown, part.names.back().id), inside});
  }
}

void add_claims(const Part& part, std::vector<PartLine>& lines) {
  const bool warning = part.shared();
  for (const engine::Claim& claim : part.claims) {
    const std::string_view mark = warning && &claim != &part.claims.front() ? "! " : "";
    const std::string_view rests = claim.kind == PartKind::resting ? " rests" : "";
    lines.push_back({"", fmt::format("{}{}{}", mark, claim.what, rests), !mark.empty()});
    for (const std::string& detail : {claim.who, claim.where}) {
      if (!detail.empty())
        lines.push_back({"", fmt::format("{}{}", mark, shown_name(detail)), !mark.empty()});
    }
  }
}

void add_several(const Part& part, std::vector<PartLine>& lines) {
  size_t held = 0;
  std::set<std::string> owners;
  for (const engine::Claim& claim : part.claims) {
    if (claim.kind != PartKind::bank) continue;
    ++held;
    owners.insert(claim.who);
  }
  const size_t resting = part.claims.size() - held;
  const auto many = [](size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
  };
  if (held > 0)
    lines.push_back({"", fmt::format("{} of {}", many(held, "bank"), many(owners.size(), "owner"))});
  if (resting > 0) lines.push_back({"", fmt::format("{} at rest", many(resting, "bank"))});
}

std::vector<PartLine> lines_of(const Part& part, bool all) {
  std::vector<PartLine> lines;
  if (part.stands_for > 1) {
    add_several(part, lines);
  } else {
    add_claims(part, lines);
    add_names(part, all, lines);
  }
  if (lines.empty()) lines.push_back({"", part.in_pool ? "free for banks" : "free"});
  return lines;
}

// Which containers are drawn: those that were asked for, else those that run first, then by name.
std::vector<const ContainerFacts*> chosen_containers(const engine::IdFacts& facts, const MapChoice& choice) {
  std::vector<const ContainerFacts*> chosen;
  for (const ContainerFacts& container : facts.containers) {
    if (!choice.container.empty() && container.name != choice.container) continue;
    if (!choice.project.empty() && container.project != choice.project) continue;
    chosen.push_back(&container);
  }
  std::ranges::stable_sort(chosen, {}, [](const ContainerFacts* container) { return container->pid == 0; });
  return chosen;
}

std::vector<idmap::Extent> in_order(std::vector<idmap::Extent> extents) {
  std::ranges::sort(extents, {}, &idmap::Extent::inside);
  return extents;
}

Box make_box(const ContainerFacts& container, std::string_view kind,
             const std::vector<idmap::Extent>& extents, bool whole) {
  Box box{.title = shown_name(container.name) + std::string(kind),
          .about = container.pid != 0 ? fmt::format("running as process {}", container.pid) : "not running",
          .running = container.pid != 0};
  if (!container.project.empty()) box.about += fmt::format(", of project {}", shown_name(container.project));
  int row = 1;
  uint64_t next = 0;
  const size_t shown = whole || extents.size() <= kMostExtents ? extents.size() : kMostExtents - 1;
  for (size_t i = 0; i < shown; ++i, row += 2) {
    if (extents[i].inside != next) {
      box.extents.push_back({std::nullopt, row, "not mapped"});
      row += 2;
    }
    box.extents.push_back({extents[i], row, fmt::format("{} IDs", extents[i].count)});
    next = idmap::inside_of(extents[i]).end;
  }
  if (shown < extents.size()) {
    box.extents.push_back({std::nullopt, row, fmt::format("{} more", extents.size() - shown)});
    row += 2;
  }
  box.bottom = row - 1;
  return box;
}

std::vector<Box> boxes_of(const std::vector<const ContainerFacts*>& containers, bool whole) {
  std::vector<Box> boxes;
  for (const ContainerFacts* container : containers) {
    if (container->host_ids) continue;
    const auto users = in_order(container->users);
    const auto groups = in_order(container->groups);
    if (!users.empty())
      boxes.push_back(make_box(*container, users == groups ? "" : " (users)", users, whole));
    if (!groups.empty() && users != groups) boxes.push_back(make_box(*container, " (groups)", groups, whole));
  }
  return boxes;
}

uint32_t lowest_of(const Box& box) {
  uint32_t lowest = std::numeric_limits<uint32_t>::max();
  for (const PlacedExtent& extent : box.extents) {
    if (extent.extent) lowest = std::min(lowest, extent.extent->outside);
  }
  return lowest;
}

// Where an extent begins on the host. A line goes from there.
struct Start {
  uint32_t outside = 0;
  size_t box = 0;
  size_t extent = 0;
};

// In ascending order of the IDs, then of the boxes.
class Starts {
 public:
  explicit Starts(const std::vector<Box>& boxes) {
    for (size_t box = 0; box < boxes.size(); ++box) {
      for (size_t i = 0; i < boxes[box].extents.size(); ++i) {
        if (const auto& extent = boxes[box].extents[i].extent) list_.push_back({extent->outside, box, i});
      }
    }
    std::ranges::stable_sort(list_, {}, &Start::outside);
  }
  [[nodiscard]] std::span<const Start> in(const Part& part) const {
    const auto first = std::ranges::lower_bound(list_, part.ids.begin, {}, &Start::outside);
    const auto last = std::ranges::lower_bound(list_, part.ids.end, {}, &Start::outside);
    return {first, last};
  }

 private:
  std::vector<Start> list_;
};

bool cross(const Link& a, const Link& b) {
  return std::min(a.from, a.to) <= std::max(b.from, b.to) && std::min(b.from, b.to) <= std::max(a.from, a.to);
}

// Puts parts and boxes into rows. A box stands beside the part that its lowest extent comes from, which is as
// high as it takes, so that the lines from there go straight. Above the boxes are the rows where lines
// to boxes elsewhere begin: no two lines ever share a row.
class Arrangement {
 public:
  Arrangement(Picture& picture, const Starts& starts) : picture_(picture), starts_(starts) {}

  void arrange(std::vector<Part> parts, bool all) {
    int row = 0;
    for (Part& part : parts) {
      PlacedPart placed{.part = std::move(part), .top = row};
      placed.lines = lines_of(placed.part, all);
      const int links = begin_links(placed);
      const int needed = place_boxes(placed, links);
      placed.rows = std::max(static_cast<int>(placed.lines.size()), needed);
      row += placed.rows + 1;
      picture_.parts.push_back(std::move(placed));
    }
    picture_.rows = row + 1;
    finish_links();
  }

 private:
  // Whether its box stands beside this part.
  [[nodiscard]] bool is_beside(const Start& start, const PlacedPart& placed) const {
    return placed.part.ids.contains(lowest_of(picture_.boxes[start.box]));
  }

  // The rows that it takes.
  int begin_links(const PlacedPart& placed) {
    int rows = 0;
    for (const Start& start : starts_.in(placed.part)) {
      if (!is_beside(start, placed)) begun_.emplace_back(start, placed.top + ++rows);
    }
    return rows;
  }

  int place_boxes(const PlacedPart& placed, int above) {
    int next = placed.top + (above == 0 ? 0 : above + 1);
    int bottom = placed.top + above;
    std::set<size_t> stand;
    for (const Start& start : starts_.in(placed.part)) {
      if (!is_beside(start, placed)) continue;
      Box& box = picture_.boxes[start.box];
      if (stand.insert(start.box).second) {
        box.top += next;
        box.bottom += next;
        for (PlacedExtent& extent : box.extents) extent.row += next;
        bottom = box.bottom;
        next = bottom + 1;
      }
      const int row = box.extents[start.extent].row;
      picture_.links.push_back({row, row, -1});
    }
    return bottom - placed.top;
  }

  void finish_links() {
    std::vector<std::vector<Link>> lanes;
    for (const auto& [start, from] : begun_) {
      Link link{from, picture_.boxes[start.box].extents[start.extent].row, 0};
      const auto crosses = [&](const Link& other) { return cross(link, other); };
      size_t lane = 0;
      while (lane < lanes.size() && std::ranges::any_of(lanes[lane], crosses)) ++lane;
      if (lane == kMostLanes) continue;
      lanes.resize(std::max(lanes.size(), lane + 1));
      link.lane = static_cast<int>(lane);
      lanes[lane].push_back(link);
      picture_.links.push_back(link);
    }
    picture_.lanes = static_cast<int>(lanes.size());
  }

  Picture& picture_;
  const Starts& starts_;
  std::vector<std::pair<Start, int>> begun_;  // and the row where the line begins
};

std::string names_in(const std::vector<std::string>& names) {
  constexpr size_t kMost = 8;
  const size_t shown = std::min(names.size(), kMost);
  const std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<ptrdiff_t>(shown), ", "));
  return names.size() > shown ? fmt::format("{} and {} more", text, names.size() - shown) : text;
}

void add_notes(const engine::IdFacts& facts, const MapChoice& choice,
               const std::vector<const ContainerFacts*>& chosen, size_t drawn, Picture& picture) {
  std::vector<std::string> host;
  std::vector<std::string> unreadable;
  for (const ContainerFacts* container : chosen) {
    if (container->host_ids) host.push_back(shown_name(container->name));
    if (!container->host_ids && container->users.empty()) unreadable.push_back(shown_name(container->name));
  }
  if (!host.empty()) picture.notes.push_back(fmt::format("With the host's own IDs: {}.", names_in(host)));
  if (!unreadable.empty()) {
    picture.notes.push_back(fmt::format("Their recorded maps can't be read: {}.", names_in(unreadable)));
  }
  if (drawn < chosen.size()) {
    picture.notes.push_back(
        fmt::format("{} more containers are not drawn; --all draws them.", chosen.size() - drawn));
  }
  size_t not_named = 0;
  for (const engine::ProjectFacts& project : facts.projects) {
    if (!choice.project.empty() ? project.name != choice.project : !choice.container.empty()) continue;
    if (!choice.all && picture.notes.size() > kMostContainers) {
      ++not_named;
      continue;
    }
    picture.notes.push_back(fmt::format("Project {} (number {}) runs as {} inside its containers.",
                                        shown_name(project.name), project.number,
                                        engine::text_of(project.assigned)));
  }
  if (not_named > 0) picture.notes.push_back(fmt::format("{} more projects; --all names them.", not_named));
}

// The code point that `text` begins with, and its length; the text is valid UTF-8.
std::pair<char32_t, size_t> first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  constexpr std::array<unsigned, 5> kLeadBits{0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t point = lead & kLeadBits[length];
  for (size_t i = 1; i < length; ++i) point = (point << 6) | (static_cast<unsigned char>(text[i]) & 0x3F);
  return {point, length};
}

// One column wide, and with no influence on what is around it: Latin, Greek, Cyrillic letters.
bool is_plain(char32_t point) {
  constexpr char32_t kSoftHyphen = 0xAD;
  if (point < 0x80) return true;
  if (point == kSoftHyphen) return false;
  return (point > 0xA0 && point < 0x300) || (point >= 0x370 && point < 0x483) ||
         (point >= 0x48A && point < 0x530);
}

}  // namespace

std::string shown_name(std::string_view name) {
  const std::string valid = printable(name);
  std::string shown;
  for (size_t at = 0; at < valid.size();) {
    const auto [point, length] = first_of(std::string_view(valid).substr(at));
    if (is_plain(point)) {
      shown += valid.substr(at, length);
    } else {
      shown += fmt::format("\\u{{{:x}}}", static_cast<uint32_t>(point));
    }
    at += length;
  }
  return shown;
}

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Picture draw(const engine::IdFacts& facts, const MapChoice& choice) {
  Picture picture;
  const bool one = !choice.container.empty();
  const std::vector<const ContainerFacts*> chosen = chosen_containers(facts, choice);
  const bool everyone = choice.all || one;
  const size_t drawn = everyone ? chosen.size() : std::min(chosen.size(), kMostContainers);
  picture.boxes = boxes_of({chosen.begin(), chosen.begin() + static_cast<ptrdiff_t>(drawn)}, everyone);
  std::ranges::stable_sort(picture.boxes, {}, lowest_of);
  const bool focused = one || !choice.project.empty();
  const size_t longest = choice.all ? kAnything : focused ? 1 : kLongestRun;
  const Starts starts(picture.boxes);
  std::vector<Part> parts = engine::put_together(engine::parts_of(facts), longest,
                                                 [&](const Part& part) { return !starts.in(part).empty(); });
  Arrangement(picture, starts).arrange(std::move(parts), choice.all);
  add_notes(facts, choice, chosen, drawn, picture);
  return picture;
}

}  // namespace berth::cli
