"""The REST doors of core: one file per noun, each with its serializers and its views."""
