"""The exports of shop systems: told by content, put together to products, in every encoding."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

import pytest

from db.feeds import FeedError, parse_map, read_products
from db.feeds.registry import kind_of
from db.records import Attribute, Money, Product, RejectedRow

SHOPIFY = """\
Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Barcode,Image Src,Image Position,Gift Card,SEO Title,Fabric (product.metafields.custom.fabric),Variant Image,Cost per item,Status
tee,Tee &amp; Co,"<p>Soft <b>tee</b>.</p><script>x()</script>",Aldena,Shirts,"cotton, summer",true,Size,S,Colour,Red,TEE-S,shopify,0,deny,19.00,25.00,4001,https://cdn.example/1.jpg,1,false,Buy tee,Cotton,,7.50,active
tee,,,,,,,,M,,Red,TEE-M,shopify,4,deny,21.00,25.00,4002,https://cdn.example/2.jpg,2,,,,https://cdn.example/m.jpg,,
tee,,,,,,,,,,,,,,,,,,https://cdn.example/3.jpg,3,,,,,,
mug,Mug,Stoneware,Aldena,Kitchen,,true,Title,Default Title,,,MUG-1,shopify,0,continue,12.5,,,,,false,,,,,active
ghost,Ghost,,Aldena,,,true,Title,Default Title,,,G,,1,deny,5,,,,,false,,,,,draft
"""  # noqa: E501

SHOPIFY_NEW = """\
Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,Option1 Linked To,Price,Price / International,Compare-at price,Cost per item,Inventory tracker,Inventory quantity,Continue selling when out of stock,Product image URL
Tee,tee,Soft,Aldena,,Shirts,,TRUE,Active,TEE-S,,Size,S,,19.00,24.00,25.00,7,shopify,3,DENY,https://cdn.example/1.jpg
,tee,,,,,,,,TEE-M,,,M,,21.00,26.00,25.00,7,shopify,0,DENY,
"""

SPREE = """\
slug,sku,name,price,compare_at_price,currency,status,description,category1,option1_name,option1_value,image1_src,width,inventory_count,inventory_backorderable,track_inventory,custom_field.custom.wattage
toaster,TOAST,Toaster,0,0,USD,active,Two slots,Kitchen -> Breakfast,,,https://cdn.example/t.webp,,,FALSE,,900W
toaster,TOAST-RED,,49.99,59.99,USD,,,,Color,Red,,11,5,FALSE,TRUE,
toaster,TOAST-BLUE,,44.99,59.99,USD,,,,Color,Blue,,11,0,FALSE,TRUE,
scale,SCALE,Scale,30,0,USD,active,,Kitchen,,,,,7,FALSE,TRUE,
"""

WOO = """\
ID,Type,SKU,Name,Published,"Is featured?","Visibility in catalog","Short description",Description,"Date sale price starts","Date sale price ends","Tax status","In stock?",Stock,"Backorders allowed?","Weight (kg)","Allow customer reviews?","Sale price","Regular price",Categories,Tags,Images,Parent,"Grouped products","External URL","Button text","Attribute 1 name","Attribute 1 value(s)","Attribute 1 visible","Attribute 1 global","Meta: _wp_page_template"
10,variable,HOODIE,Hoodie,1,0,visible,,Warm,,,taxable,1,,0,,1,,,"Clothing, Clothing > Hoodies",winter,https://shop.example/h.jpg,,,,,Size,"S, M",1,1,default
20,simple,CAP,Cap,1,0,visible,Keeps sun off,Line one\\nLine two,,,taxable,1,8,0,0.1,1,15,18,Clothing > Hats,,,,,,,Material,Wool,1,0,default
21,"simple, virtual",CARD,Gift card,1,0,visible,,,,,taxable,0,0,0,,1,,25,Gifts,,,,,,,,,,,
22,grouped,SET,Set,1,0,visible,,,,,taxable,1,,0,,1,,,Clothing,,,,"CAP, id:21",,,,,,,
23,external,OUT,Partner lamp,1,0,visible,,,,,taxable,1,,0,,1,,99,Home,,,,,https://partner.example/lamp,Buy,,,,,
24,simple,HID,Hidden,1,0,hidden,,,,,taxable,1,,0,,1,,5,Home,,,,,,,,,,,
25,simple,DRAFT,Draft,-1,0,visible,,,,,taxable,1,,0,,1,,5,Home,,,,,,,,,,,
31,variation,HOODIE-S,Hoodie - S,1,0,visible,,,,,taxable,1,3,0,,0,,40,,,,HOODIE,,,,Size,S,,1,
32,variation,HOODIE-M,Hoodie - M,1,0,visible,,,,,taxable,0,0,0,,0,,45,,,,id:10,,,,Size,M,,1,
33,variation,LOST-1,Lost,1,0,visible,,,,,taxable,1,1,0,,0,,1,,,,LOST,,,,Size,M,,1,
,simple,NOID,By SKU alone,1,0,visible,,,,,taxable,1,1,0,,1,,7,Home,,,,,,,,,,,
"""

MAGENTO = """\
sku,store_view_code,attribute_set_code,product_type,categories,product_websites,name,description,price,special_price,visibility,product_online,qty,is_in_stock,base_image,additional_attributes,configurable_variations
J-S-Red,,Top,simple,Default Category/Men,base,Jacket-S-Red,,60,,Not Visible Individually,1,4,1,,"color=Red,size=S",
J-M-Red,,Top,simple,Default Category/Men,base,Jacket-M-Red,,65,55,Not Visible Individually,1,0,0,,"color=Red,size=M",
J,,Top,configurable,"Default Category/Men,Default Category/Men/Jackets",base,Jacket,Warm,,,"Catalog, Search",1,0,1,/j.jpg,"climate=Cold|Windy,pattern=Solid, plain,material=Wool","sku=J-S-Red,size=S,color=Red|sku=J-M-Red,size=M,color=Red"
BAG,,Bag,simple,Default Category/Gear,base,Bag,Roomy,34,,"Catalog, Search",1,100,1,,"strap_bags=Adjustable",
BAG,de,Bag,simple,,base,Tasche,Viel Platz,34,,,,,,,,
LONE,,Bag,simple,,base,Part of nothing,,3,,Not Visible Individually,1,1,1,,,
"""

PRESTA = """\
Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax included;On sale (0/1);Reference #;Quantity;Description;Image URLs (x,y,z...);Feature(Name:Value:Position)
1;1;Vase;Home,Deco;19,90;0;VASE-1;5;"<p>Glass</p>";https://cdn.example/v.jpg;Height:30 cm:1,Material:Glass:2
2;0;Old vase;Home;9,90;0;VASE-0;0;;;
"""

GOOGLE = """\
<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title><link>https://shop.example</link>
<item><g:id>W-1</g:id><title>plain title</title><g:title>Watch &amp; strap, black</g:title><description><![CDATA[<p>Steel</p>]]></description>
<link>https://shop.example/w1</link><g:image_link>https://cdn.example/w1.jpg</g:image_link><g:additional_image_link>https://cdn.example/w1b.jpg</g:additional_image_link>
<g:price>120.00 USD</g:price><g:sale_price>99.00 USD</g:sale_price><g:availability>out of stock</g:availability><g:item_group_id>W</g:item_group_id><g:color>Black</g:color><g:gtin>401</g:gtin>
<g:shipping><g:country>US</g:country><g:price>4.95 USD</g:price></g:shipping><g:product_type>Jewelry &gt; Watches</g:product_type><g:custom_label_0>high margin</g:custom_label_0></item>
<item><g:id>B-1</g:id><title>Bowl</title><link>https://shop.example/b</link><g:price>9.99 USD</g:price><g:availability>in_stock</g:availability></item>
<item><g:id>W-2</g:id><title>Watch, white</title><link>https://shop.example/w2</link><g:price>120.00 USD</g:price><g:availability>in stock</g:availability><g:item_group_id>W</g:item_group_id><g:color>White</g:color></item>
</channel></rss>
"""  # noqa: E501

ATOM = """\
<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title>
<entry><g:id>A-1</g:id><title>Lamp</title><link href="https://shop.example/a1" rel="alternate"/><summary>Warm light</summary><g:price>29.00 EUR</g:price><g:availability>preorder</g:availability></entry>
</feed>
"""

FACEBOOK_TSV = (
    "id\ttitle\tdescription\tavailability\tcondition\tprice\tlink\timage_link\tbrand\titem_group_id\tsize\n"
    "F-1\tSock S\tWool\tin stock\tnew\t5.00 GBP\thttps://shop.example/f1\thttps://cdn.example/f.jpg\tAldena\tF\tS\n"
    "F-2\tSock M\tWool\tout of stock\tnew\t6.00 GBP\thttps://shop.example/f2\thttps://cdn.example/f.jpg\tAldena\tF\tM\n"
)

LINKED = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "BreadcrumbList", "itemListElement": []},
        {
            "@type": "Product", "sku": "K-1", "name": "Kettle", "description": "Boils",
            "brand": {"@type": "Brand", "name": "Aldena"},
            "image": ["https://cdn.example/k.jpg", {"@type": "ImageObject", "url": "https://cdn.example/k2.jpg"}],
            "offers": {"@type": "Offer", "price": "39.90", "priceCurrency": "EUR", "availability": "https://schema.org/InStock", "url": "https://shop.example/k"},
            "aggregateRating": {"@type": "AggregateRating", "ratingValue": "4.4", "reviewCount": "89"},
            "additionalProperty": [{"@type": "PropertyValue", "name": "Power", "value": 2200, "unitText": "W"}],
            "review": [{"@type": "Review", "author": {"@type": "Person", "name": "Jo Doe"}, "reviewBody": "Quick"}],
        },
        {
            "@type": "ProductGroup", "@id": "#coat", "productGroupID": "COAT", "name": "Coat",
            "variesBy": ["https://schema.org/size"],
            "hasVariant": [
                {"@type": "Product", "sku": "COAT-S", "size": "S", "offers": {"@type": "Offer", "price": 80, "priceCurrency": "EUR", "availability": "OutOfStock"}},
                {"@type": "Product", "sku": "COAT-M", "size": "M", "offers": {"@type": "Offer", "price": 85, "priceCurrency": "EUR", "availability": "InStock"}},
            ],
        },
        {"@type": ["Product", "Movie"], "productID": "AGG", "name": "Film", "offers": {"@type": "AggregateOffer", "lowPrice": "5.00", "highPrice": 12, "priceCurrency": "EUR"}},
    ],
}  # fmt: skip
PAGE = f"""<!DOCTYPE html>
<html><head><title>Kettle</title><script type="application/ld+json">
{json.dumps(LINKED)}
</script><script>var a = "{{";</script></head><body>Kettle</body></html>
"""

FEEDS = {
    "shopify": (SHOPIFY, {"tee": "19.00-21.00", "mug": "12.50"}),
    "shopify-new": (SHOPIFY_NEW, {"tee": "19.00-21.00"}),
    "spree": (SPREE, {"toaster": "44.99-49.99", "scale": "30.00"}),
    "woocommerce": (
        WOO,
        {"20": "15.00", "21": "25.00", "22": "", "23": "99.00", "NOID": "7.00", "10": "40.00-45.00"},
    ),
    "magento": (MAGENTO, {"J": "55.00-60.00", "BAG": "34.00"}),
    "prestashop": (PRESTA, {"1": "19.90", "2": "9.90"}),
    "google": (GOOGLE, {"B-1": "9.99", "W": "99.00-120.00"}),
    "atom": (ATOM, {"A-1": "29.00"}),
    "facebook": (FACEBOOK_TSV, {"F": "5.00-6.00"}),
    "json-ld": (json.dumps(LINKED, indent=1), {"K-1": "39.90", "#coat": "80.00-85.00", "AGG": "5.00-12.00"}),
    "web-page": (PAGE, {"K-1": "39.90", "#coat": "80.00-85.00", "AGG": "5.00-12.00"}),
}  # fmt: skip


@pytest.fixture
def load(tmp_path):
    def load(text, *, encoding="utf-8", packed=False, name="export", **options):
        data = text.encode(encoding) if isinstance(text, str) else text
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if packed else data)
        return list(read_products(path, **{"currency": "USD", **options}))

    return load


def products(records):
    return {record.id: record for record in records if isinstance(record, Product)}


def reasons(records):
    return {r.where: r.reason for r in records if isinstance(r, RejectedRow)}


def prices(records):
    def shown(product):
        if product.price is None:
            return ""
        to = f"-{product.price_to.amount}" if product.price_to else ""
        return f"{product.price.amount}{to}"

    return {id: shown(product) for id, product in products(records).items()}


def values(product):
    return {attribute.name: attribute.value for attribute in product.attributes}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"]
)
@pytest.mark.parametrize("system", FEEDS)
def test_that_a_system_is_told_by_content_in_each_encoding_and_packed(
    load, system, encoding, packed
):
    text, expected = FEEDS[system]
    assert prices(load(text, encoding=encoding, packed=packed)) == expected


@pytest.mark.parametrize("system", FEEDS)
def test_that_a_system_holds_products(tmp_path, system):
    (tmp_path / "export").write_text(FEEDS[system][0], encoding="utf-8")
    assert kind_of(tmp_path / "export") == "products"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize(
    "text",
    [
        "商品ID,商品名称,价格\n1,棉麻抱枕,¥39.90\n",
        "商品ID\t商品名称\t价格\n1\t棉麻抱枕\t39.90元\n",
        '[{"商品ID": 1, "商品名称": "棉麻抱枕", "价格": 39.9}]',
        "<商品列表><商品><商品ID>1</商品ID><商品名称>棉麻抱枕</商品名称><价格>39.90</价格></商品></商品列表>",
    ],
)
def test_that_chinese_feeds_are_read_in_each_encoding(load, text, encoding):
    (pillow,) = load(text, encoding=encoding, currency="CNY")
    assert (pillow.id, pillow.title) == ("1", "棉麻抱枕")
    assert pillow.price == Money(Decimal("39.90"), "CNY")


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1252"])
def test_that_a_declared_latin_encoding_is_read_as_declared(load, declared):
    xml = f'<?xml version="1.0" encoding="{declared}"?><list><product><id>1</id><name>Café</name></product></list>'
    (coffee,) = load(xml, encoding=declared)
    assert coffee.title == "Café"


def test_that_an_undeclared_latin_encoding_is_refused_with_its_line(load):
    with pytest.raises(FeedError, match=r"line 3 .*Latin-1.*save it as UTF-8"):
        load("id,name\n1,Tea\n2,Café\n", encoding="latin-1")


def test_that_shopify_rows_become_variants_pictures_and_texts(load):
    records = load(SHOPIFY)
    tee, mug = products(records).values()
    assert (tee.title, tee.description, tee.brand) == ("Tee & Co", "Soft tee.", "Aldena")
    assert (tee.category, tee.tags) == (("Shirts",), ("cotton", "summer"))
    assert tee.images == tuple(f"https://cdn.example/{n}.jpg" for n in ("1", "2", "m", "3"))
    assert tee.variants[0].options == (Attribute("Size", "S"), Attribute("Colour", "Red"))
    assert [(v.sku, v.in_stock, v.stock) for v in tee.variants] == [
        ("TEE-S", False, 0), ("TEE-M", True, 4),
    ]  # fmt: skip
    assert tee.aliases == ("TEE-S", "TEE-M", "4001", "4002")
    assert tee.compare_at == Money(Decimal("25.00"), "USD")
    assert values(tee) == {"Fabric": "Cotton", "Size": "S, M", "Colour": "Red"}
    assert (mug.in_stock, mug.stock, mug.variants[0].options) == (True, None, ())
    assert reasons(records) == {
        "export line 6": "is not shown in the shop (status: draft): publish it to have it recommended"
    }


def test_that_the_newer_columns_of_shopify_are_known(load):
    (tee,) = products(load(SHOPIFY_NEW)).values()
    assert [v.in_stock for v in tee.variants] == [True, False]
    assert (tee.aliases, values(tee)) == (("TEE-S", "TEE-M"), {"Size": "S, M"})


def test_that_minor_units_of_variants_are_divided_by_the_map(load):
    mapping = parse_map(["price=Variant Price/100"])
    assert prices(load(SHOPIFY, mapping=mapping)) == {"tee": "0.19-0.21", "mug": "0.125"}


def test_that_a_variant_whose_price_cannot_be_read_is_rejected_alone(load):
    records = load(SHOPIFY.replace(",21.00,", ",soon,"))
    assert prices(records) == {"tee": "19.00", "mug": "12.50"}
    assert "price cannot be read: soon" in reasons(records)["export line 3"]


def test_that_a_product_whose_rows_stand_apart_is_one(load):
    header, *rows = SHOPIFY.splitlines(keepends=True)
    shuffled = header + rows[0] + rows[3] + rows[1] + rows[2]
    assert prices(load(shuffled)) == {"tee": "19.00-21.00", "mug": "12.50"}


def test_that_spree_takes_prices_from_variants_and_facts_from_custom_fields(load):
    toaster, scale = products(load(SPREE)).values()
    assert (toaster.category, toaster.compare_at.amount) == (
        ("Kitchen", "Breakfast"),
        Decimal("59.99"),
    )
    assert [v.in_stock for v in toaster.variants] == [True, False]
    assert values(toaster)["wattage"] == "900W"
    assert values(toaster)["width"] == "11"
    assert (scale.stock, scale.compare_at) == (7, None)


def test_that_woocommerce_joins_variations_by_sku_and_id_and_leaves_out_what_is_hidden(load):
    records = load(WOO)
    found = products(records)
    hoodie, cap = found["10"], found["20"]
    assert [(v.id, v.sku, v.in_stock) for v in hoodie.variants] == [
        ("31", "HOODIE-S", True), ("32", "HOODIE-M", False),
    ]  # fmt: skip
    assert hoodie.category == ("Clothing", "Hoodies")
    assert (values(hoodie)["Size"], hoodie.in_stock) == ("S, M", True)
    assert (cap.stock, cap.compare_at.amount) == (8, Decimal(18))
    assert cap.description == "Line one\nLine two"
    assert values(cap)["Material"] == "Wool"
    assert not {"Meta: _wp_page_template", "Tax status"} & values(cap).keys()
    assert found["21"].in_stock is False
    assert found["23"].url == "https://partner.example/lamp"
    assert {where: reason[:40] for where, reason in reasons(records).items()} == {
        "export line 7": "is not shown in the shop (hidden): make ",
        "export line 8": "is not shown in the shop (draft): publis",
        "export line 11": "its product (LOST) is not in the file: e",
    }


def test_that_magento_joins_simple_rows_to_their_configurable_one(load):
    records = load(MAGENTO)
    jacket, bag = products(records)["J"], products(records)["BAG"]
    assert [(v.sku, v.price.amount, v.in_stock) for v in jacket.variants] == [
        ("J-S-Red", Decimal(60), True), ("J-M-Red", Decimal(55), False),
    ]  # fmt: skip
    assert jacket.aliases == ("J-S-Red", "J-M-Red")
    assert jacket.category == ("Men", "Jackets")
    assert values(jacket) == {
        "climate": "Cold, Windy", "pattern": "Solid, plain", "material": "Wool",
        "size": "S, M", "color": "Red",
    }  # fmt: skip
    assert (bag.title, bag.stock, values(bag)["strap bags"]) == ("Bag", 100, "Adjustable")
    assert list(reasons(records)) == ["export line 7"]


def test_that_prestashop_features_are_attributes_and_an_inactive_product_is_off_sale(load):
    vase, old = products(load(PRESTA)).values()
    assert (vase.price.amount, vase.aliases, vase.stock) == (Decimal("19.90"), ("VASE-1",), 5)
    assert (values(vase)["Height"], values(vase)["Material"]) == ("30 cm", "Glass")
    assert old.in_stock is False


def test_that_google_items_of_a_group_are_one_product(load):
    watch = products(load(GOOGLE))["W"]
    assert (watch.title, watch.description) == ("Watch & strap, black", "Steel")
    assert [(v.id, v.in_stock) for v in watch.variants] == [("W-1", False), ("W-2", True)]
    assert watch.aliases == ("W-1", "W-2", "401")
    assert watch.category == ("Jewelry", "Watches")
    assert watch.images == ("https://cdn.example/w1.jpg", "https://cdn.example/w1b.jpg")
    assert values(watch) == {"shipping": "country: US\nprice: 4.95 USD", "color": "Black, White"}


def test_that_an_atom_entry_has_its_link_and_text(load):
    (lamp,) = load(ATOM)
    assert (lamp.url, lamp.description, lamp.in_stock) == (
        "https://shop.example/a1",
        "Warm light",
        None,
    )


def test_that_linked_data_gives_offers_ratings_and_variants(load):
    records = load(PAGE)
    kettle, coat = products(records)["K-1"], products(records)["#coat"]
    assert (kettle.brand, kettle.rating, kettle.rating_count) == ("Aldena", 4.4, 89)
    assert (kettle.in_stock, kettle.url) == (True, "https://shop.example/k")
    assert len(kettle.images) == 2
    assert values(kettle)["Power"] == "2200 W"
    assert [r.markdown for r in records if not isinstance(r, Product)] == ["Quick"]
    assert [v.in_stock for v in coat.variants] == [False, True]
    assert coat.aliases == ("COAT-S", "COAT-M")
    assert values(coat) == {"size": "S, M"}


@pytest.mark.parametrize(
    "value",
    [
        {"products": [{"id": 7, "title": "Tee", "handle": "tee", "body_html": "<p>Soft</p>", "variants": [{"id": 71, "title": "S", "option1": "S", "sku": "T-S", "price": "19.00", "available": True}, {"id": 72, "title": "M", "option1": "M", "sku": "T-M", "price": "21.00", "available": False}], "options": [{"name": "Size", "values": ["S", "M"]}]}]},
        {"data": {"products": {"edges": [{"cursor": "x", "node": {"id": 7, "title": "Tee", "variants": {"edges": [{"node": {"id": 71, "sku": "T-S", "price": {"amount": "19.00", "currencyCode": "USD"}, "selectedOptions": [{"name": "Size", "value": "S"}]}}, {"node": {"id": 72, "sku": "T-M", "price": {"amount": "21.00", "currencyCode": "USD"}, "selectedOptions": [{"name": "Size", "value": "M"}]}}]}}}], "pageInfo": {"hasNextPage": False}}}},
        {"data": [{"id": 7, "type": "product", "attributes": {"name": "Tee", "price": "19.00", "price_to": "21.00", "sku": "T-S"}}]},
        [{"id": 7, "name": "Tee", "sku": "T-S", "price": "19.00", "price_max": 21, "categories": [{"id": 1, "name": "Shirts"}], "stock_status": "instock"}],
    ],
    ids=["shopify", "graphql", "json-api", "woocommerce"],
)  # fmt: skip
def test_that_the_usual_shapes_of_interfaces_are_read(load, value):
    (tee,) = load(json.dumps(value))
    assert (tee.id, tee.title, str(tee.price.amount), str(tee.price_to.amount)) == (
        "7", "Tee", "19.00", "21.00",
    )  # fmt: skip
    assert "T-S" in tee.aliases


@pytest.mark.parametrize(
    ("cell", "amount", "currency"),
    [
        ("19,90 €", "19.90", "EUR"),
        ("€ 1.299,00", "1299.00", "EUR"),
        ("1 299,00 EUR", "1299.00", "EUR"),
        ("1\u00a0299,50 €", "1299.50", "EUR"),
        ("£1,299.00", "1299.00", "GBP"),
        ("$1,299.00", "1299.00", "USD"),
        ("CHF 1'299.00", "1299.00", "CHF"),
        ("¥39.90元", "39.90", "CNY"),
        ("39.90元", "39.90", "CNY"),
        ("1.299", None, None),
        ("12,50 USD / 11 EUR", None, None),
        ("10-20", None, None),
        ("12 50", None, None),
        ("from 5 EUR", None, None),
        ("5 USD incl. tax", None, None),
        ("€5", "5.00", "EUR"),
    ],
)
def test_that_a_price_is_read_as_written_or_refused(load, cell, amount, currency):
    (record,) = load(f"id;name;price\n1;Tea;{cell}\n")
    if amount is None:
        assert isinstance(record, RejectedRow)
        assert "price" in record.reason
    else:
        assert record.price == Money(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("row", "currency"), [("1,Tea,€5,USD", None), ("1,Tea,$5,EUR", None), ("1,Tea,¥5,", "EUR")]
)
def test_that_a_sign_which_contradicts_the_currency_is_refused(load, row, currency):
    (record,) = load(f"id,name,price,currency\n{row}\n", currency=currency)
    assert "contradict" in record.reason
