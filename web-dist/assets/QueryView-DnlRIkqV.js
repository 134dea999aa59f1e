import{_ as n,j as r,p as o,x as t}from"./index-7M8z9p9w.js";const c={};function a(e,s){return t(),r("h1",null,o(e.$t("common.nav.query")),1)}const l=n(c,[["render",a]]);export{l as default};
