#include "cli/ctl/fields.hpp"

#include "cli/ctl/json_text.hpp"
#include "cli/ctl/text.hpp"

namespace coordination::ctl {

namespace json = boost::json;

std::string joined(const json::array* array)
{
    if (!array || array->empty())
        return "-";
    std::string text;
    for (const auto& element : *array) {
        if (!text.empty())
            text += ", ";
        const auto* string = element.if_string();
        text += printable(string ? std::string(string->begin(), string->end()) : compact_json(element));
    }
    return text;
}

} // namespace coordination::ctl
