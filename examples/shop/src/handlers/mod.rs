//! One file per part of the shop; `router` lists the endpoints.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod cart;
pub(crate) mod graphql;
pub(crate) mod login;
pub(crate) mod orders;
pub(crate) mod pages;
pub(crate) mod products;
pub(crate) mod service;
