"""Labels and predictions in the formats that people have: read, and written, COCO, YOLO and others.

Every format is read into `lightly.data.annotations.model` and written from it.
"""
