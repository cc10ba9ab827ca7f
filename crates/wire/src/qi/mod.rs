//! The Qi mini program OpenAPI, V1.
