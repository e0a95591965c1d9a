-- name: create_database
CREATE DATABASE projector
