"""Croissant 1.0: what a dataset folder holds, for tools that read it by its metadata.

Every column can be read by it, conversations message by message. A message's calls of tools stand in the files alone:
Croissant has no word for columns that differ from row to row.
"""

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_NUMBERS = {"weight"}
_LISTS = {"rejected", "categories"}
_CONVERSATIONS = {"prompt", "completion"}


def of(facts: dict, filled: list[tuple[str, dict]], fields: dict[str, str]) -> dict:
    """The metadata: `filled` are the splits that have rows, with their files, `fields` the columns and what they mean."""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": f"{facts['project']}-gold-v{facts['gold_version']}",
        "description": "Answers of a language model, judged and corrected by experts.",
        "license": facts["licence"],
        "url": "./README.md",
        "version": f"{facts['gold_version']}.{facts['erasure_epoch']}.0",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": split,
                "name": split,
                "contentUrl": file["name"],
                "contentSize": f"{file['bytes']} B",
                "encodingFormat": "application/jsonlines",
                "sha256": file["sha256"],
            }
            for split, file in filled
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": f"{split}_rows",
                "name": f"{split}_rows",
                "field": [_column(split, name, meaning) for name, meaning in fields.items()],
            }
            for split, _file in filled
        ],
    }


def _column(split, name, meaning) -> dict:
    place = f"{split}_rows/{name}"
    if name not in _CONVERSATIONS:
        repeated = {"repeated": True} if name in _LISTS else {}
        kind = "sc:Float" if name in _NUMBERS else "sc:Text"
        return _field(place, meaning) | _from(split, name, kind) | repeated
    return _field(place, meaning) | {
        "repeated": True,
        "subField": [
            _field(f"{place}/{part}", f"{part} of each message")
            | _from(split, name, "sc:Text", transform={"jsonPath": f"[*].{part}"})
            for part in ("role", "content")
        ],
    }


def _field(place, meaning) -> dict:
    name = place.rpartition("/")[2]
    return {"@type": "cr:Field", "@id": place, "name": name, "description": meaning}


def _from(split, column, kind, **more) -> dict:
    source = {"fileObject": {"@id": split}, "extract": {"column": column}, **more}
    return {"dataType": kind, "source": source}
