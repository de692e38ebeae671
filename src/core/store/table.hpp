#pragma once

#include "core/types.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cassert>
#include <cstddef>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

namespace coordination {

/// The rows of one collection, found by id in constant time and walked in the order of their creation. That
/// order is by revision, so a walk can stop anywhere and go on from a number, whatever was written in
/// between.
///
/// Rows do not move: a reference stays good until its row is erased.
template <class Record>
class Table {
public:
    using Rows = std::map<Revision, Record>;

    const Record* find(std::string_view id) const noexcept
    {
        const auto entry = by_id_.find(id);
        return entry == by_id_.end() ? nullptr : &entry->second->second;
    }
    Record* find(std::string_view id) noexcept
    {
        const auto entry = by_id_.find(id);
        return entry == by_id_.end() ? nullptr : &entry->second->second;
    }
    const Record* at_ordinal(Revision ordinal) const noexcept
    {
        const auto row = rows_.find(ordinal);
        return row == rows_.end() ? nullptr : &row->second;
    }

    Record& insert(Record record)
    {
        const auto ordinal = record.ordinal;
        const auto row = rows_.emplace_hint(rows_.end(), ordinal, std::move(record));
        const bool fresh = by_id_.emplace(row->second.id.view(), row).second;
        assert(fresh && "the id is in the table already");
        static_cast<void>(fresh);
        return row->second;
    }

    /// Takes a row out whole, so that a rollback can hang it back.
    typename Rows::node_type take(std::string_view id) noexcept
    {
        const auto entry = by_id_.find(id);
        assert(entry != by_id_.end());
        const auto row = entry->second;
        by_id_.erase(entry);
        return rows_.extract(row);
    }

    Record& insert(typename Rows::node_type node)
    {
        const auto row = rows_.insert(std::move(node)).position;
        by_id_.emplace(row->second.id.view(), row);
        return row->second;
    }

    const Rows& rows() const noexcept { return rows_; }
    std::size_t size() const noexcept { return rows_.size(); }

private:
    struct Hash {
        using is_avalanching = void;
        std::size_t operator()(std::string_view id) const noexcept
        {
            return std::hash<std::string_view>{}(id);
        }
    };

    Rows rows_;
    /// Keys point into the rows' own ids, which share their buffer with every copy of the row.
    boost::unordered_flat_map<std::string_view, typename Rows::iterator, Hash> by_id_;
};

} // namespace coordination
